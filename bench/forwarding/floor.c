/* The least a forwarder can do: receive, decrypt, and for everybody else in the room copy,
 * encrypt, send. Same cipher, system calls and sizes as the media server's; no ICE, no DTLS, no
 * RTCP, no losses, no pacing, no history. Measured against, never used.
 *
 *     floor ADDRESS SESSIONS
 *
 * SESSIONS is a file with a line for each session, those of a room together: its address, room,
 * and the two keys (what it sends with, what it receives with) in hexadecimal. Prints its port.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, OUT = 512, BYTES = 1536, KEY = 28, MOST = 65536 };

struct session {
    struct sockaddr_in address; /* its port is learnt from the first packet */
    int room, first, last;      /* the sessions of its room */
    srtp_t rx, tx;
};

static struct session *sessions;
static short by_address[MOST]; /* the low half of an address, to its session and one */
static int count, sock;

static struct mmsghdr in[BATCH], out[OUT];
static struct iovec in_span[BATCH], out_span[OUT];
static struct sockaddr_in from[BATCH];
static unsigned char in_data[BATCH][BYTES], out_data[OUT][BYTES];
static int waiting;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static srtp_t open_srtp(const char *hex, srtp_ssrc_type_t direction) {
    unsigned char key[KEY];
    srtp_policy_t policy;
    srtp_t made;
    memset(&policy, 0, sizeof policy);
    for (int i = 0; i < KEY; i++) sscanf(hex + 2 * i, "%2hhx", key + i);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    policy.ssrc.type = direction;
    policy.key = key;
    policy.window_size = 1024;
    if (srtp_create(&made, &policy)) die("srtp_create");
    return made;
}

static void read_sessions(const char *path) {
    char address[64], sends[64], receives[64];
    int room;
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    sessions = calloc(MOST, sizeof *sessions);
    while (fscanf(file, "%63s %d %63s %63s", address, &room, sends, receives) == 4) {
        struct session *s = &sessions[count];
        s->address.sin_family = AF_INET;
        inet_aton(address, &s->address.sin_addr);
        s->room = room;
        s->rx = open_srtp(sends, ssrc_any_inbound);
        s->tx = open_srtp(receives, ssrc_any_outbound);
        by_address[ntohl(s->address.sin_addr.s_addr) & 0xFFFF] = ++count;
    }
    fclose(file);
    for (int i = 0; i < count; i++) {
        int first = i, last = i;
        while (first > 0 && sessions[first - 1].room == sessions[i].room) first--;
        while (last < count && sessions[last].room == sessions[i].room) last++;
        sessions[i].first = first;
        sessions[i].last = last;
    }
}

static void flush(void) {
    for (int sent = 0; sent < waiting;) {
        int now = sendmmsg(sock, out + sent, waiting - sent, 0);
        sent += now > 0 ? now : 1;
    }
    waiting = 0;
}

static void forward(struct session *from_session, unsigned char *data, int length) {
    if (srtp_unprotect(from_session->rx, data, &length)) return;
    for (int i = from_session->first; i < from_session->last; i++) {
        struct session *to = &sessions[i];
        int size = length;
        if (to == from_session || !to->address.sin_port) continue;
        if (waiting == OUT) flush();
        memcpy(out_data[waiting], data, length);
        if (srtp_protect(to->tx, out_data[waiting], &size)) continue;
        out_span[waiting].iov_len = size;
        out[waiting].msg_hdr.msg_name = &to->address;
        waiting++;
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t size = sizeof own;
    int room = 4 << 20;
    if (argc != 3 || srtp_init()) return 2;
    read_sessions(argv[2]);
    inet_aton(argv[1], &own.sin_addr);
    sock = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (bind(sock, (struct sockaddr *)&own, size)) die("bind");
    getsockname(sock, (struct sockaddr *)&own, &size);
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    for (int i = 0; i < BATCH; i++) {
        in_span[i] = (struct iovec){in_data[i], BYTES};
        in[i].msg_hdr = (struct msghdr){.msg_iov = &in_span[i], .msg_iovlen = 1, .msg_name = &from[i]};
    }
    for (int i = 0; i < OUT; i++) {
        out_span[i].iov_base = out_data[i];
        out[i].msg_hdr = (struct msghdr){
            .msg_iov = &out_span[i], .msg_iovlen = 1, .msg_namelen = sizeof(struct sockaddr_in)};
    }
    for (;;) {
        for (int i = 0; i < BATCH; i++) in[i].msg_hdr.msg_namelen = sizeof from[i];
        int came = recvmmsg(sock, in, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < came; i++) {
            unsigned char *data = in_data[i];
            int who = by_address[ntohl(from[i].sin_addr.s_addr) & 0xFFFF] - 1;
            if (who < 0 || in[i].msg_len < 12 || data[0] >> 6 != 2) continue;
            sessions[who].address.sin_port = from[i].sin_port;
            if (data[1] >= 192 && data[1] <= 223) continue; /* RTCP */
            forward(&sessions[who], data, in[i].msg_len);
        }
        if (waiting) flush();
    }
}
