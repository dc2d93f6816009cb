// A note is signed in a window of its own, since that asks for the password: the panel beside the
// video hears of it and draws itself anew. The page that brought the news does not hear itself.

const news = new BroadcastChannel("telemed-note-signed");
news.addEventListener("message", () => document.body.dispatchEvent(new Event("note-signed")));
if (document.querySelector("[data-just-signed]")) news.postMessage("signed");
