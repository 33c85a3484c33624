// The page of the sample: what a client of Socket.IO has to know of chatty is where its token comes from.

const $ = (id) => document.getElementById(id);

async function fetchToken(name) {
  const response = await fetch("/socketio/join", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.errors[0].detail);
  return answer.token;
}

/** All text goes in as text: what others write is never markup. */
function addLine(text, sender, className = "") {
  const line = document.createElement("li");
  line.className = className;
  if (sender !== undefined) line.append(Object.assign(document.createElement("b"), { textContent: sender }));
  line.append(text);
  $("log").append(line);
}

function connect(name, token) {
  const extraHeaders = { Authorization: `Bearer ${token}` };
  // The first token goes with the polling that opens the connection, a fresh one with each new connection.
  let isFirst = true;
  const auth = async (give) => {
    if (isFirst) give({});
    else give({ token: await fetchToken(name).catch(() => token) });
    isFirst = false;
  };
  const socket = io({ extraHeaders, auth });
  socket.on("connect", () => { $("state").textContent = `Connected as ${name}`; });
  socket.on("disconnect", (reason) => { $("state").textContent = `Not connected: ${reason}`; });
  socket.on("connect_error", (error) => { $("state").textContent = `Not connected: ${error.message}`; });
  socket.on("chat-message", ({ content, sender }) => addLine(content, sender));
  socket.on("chatty:expiring", async () => socket.emit("chatty:auth", { token: await fetchToken(name) }));
  return socket;
}

let socket;

$("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  try {
    socket = connect(name, await fetchToken(name));
  } catch (error) {
    $("state").textContent = error.message;
    return;
  }
  $("join").hidden = true;
  $("say").hidden = false;
  $("content").focus();
});

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const content = $("content").value;
  $("content").value = "";
  socket.emit("chat-message", { content }, ({ error }) => {
    if (error) addLine(error.detail, undefined, "fault");
  });
});
