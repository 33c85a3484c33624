// A connection to chatty that comes back, and brings what was missed meanwhile.

const RETRY_MS = 500;
const RETRY_MAX_MS = 10_000;

const mustStayAway = (code) => code >= 4500 && code <= 4999;

/**
 * Hears the events of a user. `getPass` gives `{ token, url }`, also when an old token has died; `on` is told
 * `event(name, attributes)`, also of those that were missed, `connected()`, each time, and `state(text)`, for people.
 */
export function listen(getPass, on) {
  let last; // the id of the newest event: where we were
  let session; // and who: what was not for that session is not for the next one
  let failures = 0;

  function receive(text, socket) {
    const { event, attributes, id } = JSON.parse(text);
    if (id) last = id;
    if (event === "chatty:connected") enter(attributes);
    else if (event === "chatty:gap") on.state("Connected; not all that was missed can be brought");
    else if (event === "chatty:expiring") refresh(socket);
    else if (!event.startsWith("chatty:")) on.event(event, attributes);
  }

  function enter({ user, session: own }) {
    failures = 0;
    session = own;
    on.state(`Connected as ${user}`);
    on.connected();
  }

  async function refresh(socket) {
    const pass = await getPass().catch(() => null); // without one the server closes, and we come back
    if (pass) socket.send(JSON.stringify({ event: "chatty:auth", attributes: { token: pass.token } }));
  }

  function again(reason) {
    on.state(`Not connected: ${reason}`);
    const longest = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** failures++);
    setTimeout(open, longest * (0.5 + Math.random() / 2));
  }

  async function open() {
    let pass;
    try {
      pass = await getPass();
    } catch (error) {
      again(error.message);
      return;
    }
    const back = last ? `?${new URLSearchParams({ after: last, session })}` : "";
    const socket = new WebSocket(pass.url + back, ["chatty.v1", `bearer.${pass.token}`]);
    socket.onmessage = ({ data }) => receive(data, socket);
    socket.onclose = ({ code, reason }) => {
      if (mustStayAway(code)) on.state(`Sent away: ${reason}`);
      else again(reason || `code ${code}`);
    };
  }

  open();
}

/** One request to the app server; what is refused is an error with its words. */
export async function ask(method, path, { token, body } = {}) {
  const response = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}
