# ruff: noqa: E501 a table is read across
"""Who may open what: every URL, every role, own and foreign objects.

One line for each method of each URL. A cell is what this person gets: ``yes`` (let in; what the
page then says of an empty form does not matter here), ``403`` (their role does not open it
anywhere), ``404`` (foreign, which looks like absent), ``in`` (sent to sign in). ``yes/404`` stands
for the own and the foreign object. A method without a line must be refused to everybody.

    nobody          has no session
    roleless        Driss: signed in, holds no role and is no patient
    patient         Amina; own is hers, foreign is Zineb's of another region
    repres.         Fatima, who may do everything for Amina; foreign is Zineb
    presenter       Brahim at Imilchil, where Amina was registered
    specialist      Dr Salma, with whom Amina has an appointment; foreign is Dr Youssef's
    coordinator     Karim of Drâa-Tafilalet, to which Imilchil belongs
    admin           Omar at the ministry
    auditor         Nadia at the ministry
"""

COLUMNS = (
    "nobody",
    "roleless",
    "patient",
    "repres.",
    "presenter",
    "specialist",
    "coordinator",
    "admin",
    "auditor",
)

TABLE = """
#                                       nobody  roleless  patient  repres.  presenter  specialist  coordinator  admin    auditor
GET  audit:about                        in      403       yes/404  yes/404  403        403         403          403      403
GET  audit:mine                         in      403       yes      yes      403        403         403          403      403
GET  audit:search                       in      403       403      403      403        403         403          403      yes
POST consultations:guest_cancel         404     404       404      404      404        404         404          404      404
POST consultations:guest_confirm        404     404       404      404      404        404         404          404      404
POST consultations:guest_test_ticket    404     404       404      404      404        404         404          404      404
POST consultations:guest_ticket         404     404       404      404      404        404         404          404      404
GET  consultations:film                 in      403       yes/404  yes/404  403        yes/404     403          403      403
POST consultations:recording_close      in      403       yes/404  yes/404  403        yes/404     403          403      403
POST consultations:recording_release    in      403       403      403      403        yes/404     403          403      403
GET  consultations:recordings           in      403       yes/404  yes/404  403        yes/404     403          403      403
GET  consultations:picture              in      403       yes/404  yes/404  yes/404    yes/404     403          403      403
POST consultations:picture_void         in      403       403      403      403        yes/404     403          403      403
GET  consultations:pictures             in      403       yes/404  yes/404  yes/404    yes/404     403          403      403
POST consultations:drain                in      403       403      403      403        403         403          yes/404  403
POST consultations:guest_measured       404     404       404      404      404        404         404          404      404
POST consultations:guest_trouble        404     404       404      404      404        404         404          404      404
GET  consultations:by_place             in      403       403      403      403        403         yes          yes      403
GET  consultations:call                 in      403       403      403      yes/404    yes/404     yes/404      403      403
GET  consultations:link                 yes/404 yes/404   yes/404  yes/404  yes/404    yes/404     yes/404      yes/404  yes/404
POST consultations:link                 yes/404 yes/404   yes/404  yes/404  yes/404    yes/404     yes/404      yes/404  yes/404
GET  consultations:nodes                in      403       403      403      403        403         403          yes      403
GET  consultations:room                 in      403       yes/404  yes/404  yes/404    yes/404     403          403      403
POST consultations:test_ticket          in      yes       yes      yes      yes        yes         yes          yes      yes
POST consultations:ticket               in      403       yes/404  yes/404  yes/404    yes/404     403          403      403
POST consultations:measured             in      403       yes/404  yes/404  yes/404    yes/404     403          403      403
POST consultations:trouble              in      403       yes/404  yes/404  yes/404    yes/404     403          403      403
POST desk:arrive                        in      403       403      403      yes/404    403         403          403      403
GET  desk:day                           in      404       yes/404  yes/404  yes/404    yes/404     yes/404      yes/404  yes/404
GET  desk:home                          in      yes       yes      yes      yes        yes         yes          yes      yes
POST desk:retry                         in      403       403      403      403        403         yes/404      403      403
POST desk:review                        in      403       403      403      403        403         yes/404      403      403
GET  mfa_edit_webauthn                  in      yes/404   yes/404  yes/404  yes/404    yes/404     yes/404      yes/404  yes/404
POST mfa_edit_webauthn                  in      yes/404   yes/404  yes/404  yes/404    yes/404     yes/404      yes/404  yes/404
GET  mfa_remove_webauthn                in      yes/404   yes/404  yes/404  yes/404    yes/404     yes/404      yes/404  yes/404
POST mfa_remove_webauthn                in      yes/404   yes/404  yes/404  yes/404    yes/404     yes/404      yes/404  yes/404
POST patients:add_identifier            in      403       403      403      yes/404    403         404          403      403
POST patients:add_phone                 in      403       403      403      yes/404    403         404          403      403
POST patients:add_representative        in      403       403      403      yes/404    403         404          403      403
GET  patients:card                      in      403       403      403      yes/404    403         403          403      403
GET  patients:edit                      in      403       403      403      yes/404    403         404          403      403
POST patients:edit                      in      403       403      403      yes/404    403         404          403      403
POST patients:link                      in      403       403      403      yes/404    403         403          403      403
GET  patients:mine                      in      403       yes      404      403        403         403          403      403
POST patients:mine                      in      403       yes      404      403        403         403          403      403
GET  patients:register                  in      403       403      403      yes        403         yes          403      403
POST patients:register                  in      403       403      403      yes        403         yes          403      403
GET  patients:search                    in      403       403      403      yes        403         yes          403      403
POST patients:wishes                    in      403       403      403      yes/404    403         404          403      403
POST patients:void                      in      403       403      403      yes/404    403         404          403      403
GET  people:add                         in      403       403      403      403        403         403          yes      403
POST people:add                         in      403       403      403      403        403         403          yes      403
GET  people:add_place                   in      403       403      403      403        403         403          yes      403
POST people:add_place                   in      403       403      403      403        403         403          yes      403
POST people:close                       in      403       403      403      403        403         403          yes/404  403
POST people:end                         in      403       403      403      403        403         403          yes/404  403
POST people:grant                       in      403       403      403      403        403         403          yes/404  403
GET  people:list                        in      403       403      403      403        403         403          yes      403
GET  people:person                      in      403       403      403      403        403         403          yes/404  403
GET  people:place                       in      403       403      403      403        403         403          yes/404  403
POST people:place                       in      403       403      403      403        403         403          yes/404  403
GET  records:panel                      in      403       403      403      403        yes/404     403          403      403
POST people:reopen                      in      403       403      403      403        403         403          yes/404  403
POST records:release                    in      403       403      403      403        yes/404     403          403      403
POST records:save_note                  in      403       403      403      403        yes/404     403          403      403
POST records:save_summary               in      403       403      403      403        yes/404     403          403      403
GET  records:sign                       in      403       403      403      403        yes/404     403          403      403
POST records:sign                       in      403       403      403      403        yes/404     403          403      403
GET  records:summary                    in      403       yes/404  yes/404  yes/404    yes/404     403          403      403
GET  records:summary_pdf                in      403       yes/404  yes/404  yes/404    yes/404     403          403      403
POST scheduling:add_service             in      403       403      403      403        403         403          yes/404  403
GET  scheduling:appointment             in      403       yes/404  yes/404  yes/404    yes/404     yes/404      403      403
GET  scheduling:availability            in      403       403      403      403        yes/404     yes/404      403      403
POST scheduling:availability_add        in      403       403      403      403        yes/404     yes/404      403      403
POST scheduling:availability_retire     in      403       403      403      403        yes/404     yes/404      403      403
GET  scheduling:calendar                in      403       yes/404  yes/404  yes/404    yes/404     yes/404      403      403
GET  scheduling:cancel                  in      403       yes/404  yes/404  yes/404    yes/404     yes/404      403      403
POST scheduling:cancel                  in      403       yes/404  yes/404  yes/404    yes/404     yes/404      403      403
POST scheduling:confirm                 in      403       yes/404  yes/404  404        yes/404     404          403      403
GET  scheduling:diaries                 in      403       403      403      403        yes         yes          403      403
GET  scheduling:hold                    in      403       yes/404  yes/404  yes/404    403         yes/404      403      403
POST scheduling:hold                    in      403       yes/404  yes/404  yes/404    403         yes/404      403      403
GET  scheduling:invite                  in      403       yes/404  yes/404  yes/404    yes/404     yes/404      403      403
POST scheduling:invite                  in      403       yes/404  yes/404  yes/404    yes/404     yes/404      403      403
GET  scheduling:keep                    in      403       yes      yes      yes        403         yes          403      403
POST scheduling:keep                    in      403       yes      yes      yes        403         yes          403      403
GET  scheduling:move                    in      403       yes/404  yes/404  yes/404    yes/404     yes/404      403      403
POST scheduling:move                    in      403       yes/404  yes/404  yes/404    yes/404     yes/404      403      403
GET  scheduling:people                  in      403       yes      yes      yes        403         yes          403      403
GET  scheduling:profile                 in      403       403      403      403        403         403          yes/404  403
POST scheduling:profile                 in      403       403      403      403        403         403          yes/404  403
GET  scheduling:reassign                in      403       403      403      403        403         yes/404      403      403
POST scheduling:reassign                in      403       403      403      403        403         yes/404      403      403
POST scheduling:release                 in      403       yes/404  yes/404  yes/404    403         yes/404      403      403
POST scheduling:renew_link              in      403       404      404      yes/404    yes/404     yes/404      403      403
POST scheduling:retire_service          in      403       403      403      403        403         403          yes/404  403
GET  scheduling:start                   in      403       yes      yes      yes        403         yes          403      403
GET  scheduling:times                   in      403       yes      yes      yes        403         yes          403      403
"""

# Pages without anybody's data, and allauth's own, which know only the person who is signed in.
OPEN = """
healthz                                GET,POST
readyz                                 GET,POST
set_language                           POST
styleguide                             GET,POST
styleguide_room                        GET,POST
messaging:shown                        GET
account_login                          GET,POST
account_logout                         GET,POST
account_inactive                       GET,POST
account_signup                         GET,POST
account_reauthenticate                 GET,POST
account_email                          GET,POST
account_email_verification_sent        GET,POST
account_change_password                GET,POST
account_change_phone                   GET,POST
account_verify_phone                   GET,POST
account_set_password                   GET,POST
account_reset_password                 GET,POST
account_reset_password_done            GET,POST
account_reset_password_from_key        GET,POST
account_reset_password_from_key_done   GET,POST
account_confirm_login_code             GET,POST
account_request_login_code             GET,POST
mfa_index                              GET,POST
mfa_authenticate                       GET,POST
mfa_reauthenticate                     GET,POST
mfa_activate_totp                      GET,POST
mfa_deactivate_totp                    GET,POST
mfa_view_recovery_codes                GET,POST
mfa_generate_recovery_codes            GET,POST
mfa_download_recovery_codes            GET,POST
mfa_list_webauthn                      GET,POST
mfa_add_webauthn                       GET,POST
mfa_reauthenticate_webauthn            GET,POST
mfa_login_webauthn                     GET,POST
usersessions_list                      GET,POST
"""

# Every message of the room's socket (consultations/PROTOCOL.md). ``guest`` is an interpreter by link
# who waits; the others are in the visit. A cell is ``yes`` or the code of the refusal; after a
# stroke, what a message about somebody of another region's visit gets: X is unknown_participant.
# ``bad_sdp`` is no refusal of the person: the offer of the test says nothing.
SOCKET_COLUMNS = ("guest", "companion", "patient", "repres.", "presenter", "specialist")
SOCKET = """
offer       not_admitted   bad_sdp      bad_sdp      bad_sdp      bad_sdp      bad_sdp
mute        not_admitted   yes          yes          yes          yes          yes
sends       not_admitted   yes          yes          yes          yes          yes
watch       not_admitted   yes          yes          yes          yes          yes
stats       not_admitted   yes          yes          yes          yes          yes
consent     yes/X          yes/X        yes/X        yes/X        yes/X        yes/X
withdraw    yes/X          yes/X        yes/X        yes/X        yes/X        yes/X
declare     not_admitted   yes          yes          yes          yes          yes
undeclare   yes            yes          yes          yes          yes          yes
place       not_allowed    not_allowed  yes          yes          yes          yes
chat        not_admitted   yes          yes          yes          yes          yes
unable      yes            yes          yes          yes          yes          yes
leave       yes            yes          yes          yes          yes          yes
admit       not_admitted   not_allowed  not_allowed  not_allowed  not_allowed  yes/X
deny        not_admitted   not_allowed  not_allowed  not_allowed  not_allowed  yes/X
remove      not_admitted   not_allowed  not_allowed  not_allowed  not_allowed  yes/X
identify    not_admitted   not_allowed  not_allowed  not_allowed  not_allowed  yes
pause       not_admitted   not_allowed  not_allowed  not_allowed  not_allowed  yes
resume      not_admitted   not_allowed  not_allowed  not_allowed  not_allowed  yes
override    not_admitted   not_allowed  not_allowed  not_allowed  not_allowed  yes
record_ask      not_admitted not_allowed  not_allowed  not_allowed  not_allowed  yes
record_consent  not_admitted yes/X        yes/X        yes/X        yes/X        yes/X
record_start    not_admitted not_allowed  not_allowed  not_allowed  not_allowed  recording_unconsented
record_stop     not_admitted not_allowed  not_allowed  not_allowed  not_allowed  yes
record_withdraw not_admitted yes/X        yes/X        yes/X        yes/X        yes/X
picture_ask     not_admitted not_allowed  not_allowed  not_allowed  not_allowed  not_allowed/X
picture_send    not_admitted unknown_picture unknown_picture unknown_picture unknown_picture unknown_picture
picture_end     not_admitted unknown_picture unknown_picture unknown_picture unknown_picture unknown_picture
emergency   not_admitted   yes          yes          yes          yes          yes
finish      not_admitted   not_allowed  not_allowed  not_allowed  not_allowed  yes
"""
