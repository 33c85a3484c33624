// The page of the sample chat. It speaks chatty's plain WebSocket protocol: every frame, both ways, is one
// event, {"event": name, "attributes": {...}}. `Connection` keeps one session alive; the rest is the view.

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
const RENEW_PAUSE_MS = 500; // EXPIRING_NOTICE may be longer than a token lives: not one request after the other
const LINES_MAX = 500;
const RAW_MAX = 2000;

// --- connection ------------------------------------------------------------------------------------------

/** Close codes from 4500 to 4999 ask to stay away; after all others it is right to come back. */
const mustStayAway = (code) => code >= 4500 && code <= 4999;

/** Waits longer after each failure, and never as long as the next tab does. */
function retryDelay(attempt) {
  const longest = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** attempt);
  return longest * (0.5 + Math.random() / 2);
}

function socketUrl() {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** A token for a name. An error with `isFinal` will not go away by asking again. */
async function fetchToken(name) {
  const headers = { "Content-Type": "application/json" };
  const asked = fetch("/chat/join", { method: "POST", headers, body: JSON.stringify({ name }) });
  const response = await asked.catch(() => {
    throw new Error("the server cannot be reached");
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const error = new Error(answer.errors?.[0]?.detail ?? `the server answers ${response.status}`);
  error.isFinal = response.status >= 400 && response.status < 500 && response.status !== 429;
  throw error;
}

/**
 * One visitor's session, dialled anew until `close` is called or the server says to stay away. `on` is told:
 * live(name, isFirst), lost(reason), ended(reason), event(name, attributes, text), error(detail).
 */
class Connection {
  #name;
  #on;
  #socket = null;
  #timer = 0;
  #attempt = 0;
  #wasLive = false;
  #isOver = false;
  #mintedAt = 0;
  #lastAck = 0;
  #waiting = new Map(); // ack -> { resolve, reject }

  constructor(name, on) {
    this.#name = name;
    this.#on = on;
    this.#dial();
  }

  /** Sends an event; settles when the server has acknowledged or refused it. */
  request(event, attributes) {
    return new Promise((resolve, reject) => {
      const ack = ++this.#lastAck;
      this.#waiting.set(ack, { resolve, reject });
      this.#send({ event, attributes, ack });
    });
  }

  /** Dials at once if it is waiting to do so. */
  hurry() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#dial();
  }

  close() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#waiting.clear();
  }

  async #dial() {
    this.#timer = 0;
    let token;
    try {
      token = await this.#mint();
    } catch (error) {
      if (this.#isOver) return;
      if (error.isFinal) this.#end(error.message);
      else this.#retry(error.message);
      return;
    }
    if (this.#isOver) return;
    const socket = new WebSocket(socketUrl());
    // The token goes in a frame: addresses end up in logs and histories.
    socket.onopen = () => this.#send({ event: "chatty:auth", attributes: { token } });
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#onClose(code, reason);
    this.#socket = socket;
  }

  async #mint() {
    const { token, name } = await fetchToken(this.#name);
    this.#mintedAt = Date.now();
    this.#name = name;
    return token;
  }

  /** If this fails the token dies, and the server closes with 4001: come back. */
  async #renew() {
    if (Date.now() - this.#mintedAt < RENEW_PAUSE_MS) return;
    const token = await this.#mint().catch(() => null);
    if (token) this.#send({ event: "chatty:auth", attributes: { token } });
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #receive(text) {
    if (this.#isOver) return;
    const { event, attributes, ack } = JSON.parse(text);
    switch (event) {
      case "chatty:connected": return this.#onConnected();
      case "chatty:expiring": return this.#renew();
      case "chatty:auth": return undefined;
      case "chatty:ack": return this.#settle(ack, (waiting) => waiting.resolve(attributes));
      case "chatty:error": return this.#onError(attributes.detail, ack);
      default: return this.#on.event(event, attributes, text);
    }
  }

  #onConnected() {
    const isFirst = !this.#wasLive;
    this.#wasLive = true;
    this.#attempt = 0;
    this.#on.live(this.#name, isFirst);
  }

  #onError(detail, ack) {
    const wasAsked = this.#settle(ack, (waiting) => waiting.reject(new Error(detail)));
    if (!wasAsked) this.#on.error(detail);
  }

  #onClose(code, reason) {
    if (this.#isOver) return;
    this.#rejectWaiting("The connection was lost.");
    const why = reason ? `${reason} (${code})` : `code ${code}`;
    if (mustStayAway(code)) this.#end(why);
    else this.#retry(why);
  }

  #retry(why) {
    if (this.#attempt === 0) this.#on.lost(why);
    this.#timer = setTimeout(() => this.#dial(), retryDelay(this.#attempt++));
  }

  #end(reason) {
    this.#isOver = true;
    this.#on.ended(reason);
  }

  #settle(ack, how) {
    const waiting = this.#waiting.get(ack);
    if (waiting) how(waiting);
    return this.#waiting.delete(ack);
  }

  #rejectWaiting(message) {
    for (const { reject } of this.#waiting.values()) reject(new Error(message));
    this.#waiting.clear();
  }
}

// --- log -------------------------------------------------------------------------------------------------

const $ = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** All text goes in as text: what others write is never markup. */
function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const isAtEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 40;

let isFollowing = true; // the reader is at the end of the log, and is kept there

/** Adds a line and lets the oldest go. */
function addLine(line) {
  const log = $("log");
  log.append(line);
  while (log.childElementCount > LINES_MAX) log.firstElementChild.remove();
  if (isFollowing) showNewest();
  else $("newest").hidden = false;
}

function showNewest() {
  const log = $("log");
  log.scrollTop = log.scrollHeight;
  isFollowing = true;
  $("newest").hidden = true;
}

function addNote(text, className = "note") {
  addLine(make("p", className, text));
}

/** The same name has the same colour everywhere. */
function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0), 0x9e3779b1) >>> 0;
  return hash % 360;
}

function timeOf(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? new Date() : time;
}

function makeTime(time) {
  const element = make("time", "", clock.format(time));
  element.dateTime = time.toISOString();
  return element;
}

function addMessage(attributes, ownName) {
  const sender = typeof attributes.sender === "string" ? attributes.sender : "unknown";
  const time = makeTime(timeOf(attributes["time-sent"]));
  const line = make("div", sender === ownName ? "message own" : "message");
  line.style.setProperty("--hue", hueOf(sender));
  line.dataset.head = `${sender} ${time.textContent}`;
  if ($("log").lastElementChild?.dataset.head === line.dataset.head) line.classList.add("more");
  const head = make("p", "head");
  head.append(make("bdi", "sender", sender), " ", time);
  const content = make("p", "content", attributes.content);
  content.dir = "auto";
  line.append(head, content);
  addLine(line);
}

/** An event that the page does not know is shown just as it came. */
function addRaw(text) {
  const line = make("p", "raw");
  line.append(make("code", "", text.length > RAW_MAX ? `${text.slice(0, RAW_MAX)}…` : text));
  addLine(line);
}

// --- page ------------------------------------------------------------------------------------------------

let connection = null;

function showState(state, text) {
  document.body.dataset.state = state;
  $("state-text").textContent = text;
  $("send").disabled = state !== "live";
}

function showRoom(isIn) {
  $("join").hidden = isIn;
  $("room").hidden = $("leave").hidden = !isIn;
  (isIn ? $("content") : $("name")).focus();
}

function onEnded(reason) {
  connection = null;
  sessionStorage.removeItem("name");
  showState("away", "Not connected");
  showRoom(false);
  $("join-fault").textContent = reason;
}

function join(wantedName) {
  let ownName = wantedName;
  $("name").value = wantedName;
  $("join-fault").textContent = "";
  showState("busy", "Connecting…");
  connection = new Connection(wantedName, {
    live(name, isFirst) {
      ownName = name;
      sessionStorage.setItem("name", name);
      showState("live", `Connected as ${name}`);
      $("join-fault").textContent = "";
      if ($("room").hidden) showRoom(true);
      addNote(isFirst ? `You are in the lobby, ${name}.` : "Connected again. What was said meanwhile is not shown.");
    },
    lost(reason) {
      showState("busy", "Connecting again…");
      const text = `No connection: ${reason}. Trying again…`;
      if ($("room").hidden) $("join-fault").textContent = text;
      else addNote(text);
    },
    ended: onEnded,
    event(event, attributes, text) {
      const isMessage = event === "chat-message" && typeof attributes?.content === "string";
      if (isMessage) addMessage(attributes, ownName);
      else addRaw(text);
    },
    error(detail) {
      addNote(detail, "note fault");
    },
  });
}

function leave() {
  connection?.close();
  onEnded("");
  $("log").replaceChildren();
}

async function say() {
  const field = $("content");
  const content = field.value.trim();
  if (content === "" || document.body.dataset.state !== "live") return;
  field.value = "";
  fitField();
  showNewest();
  try {
    await connection.request("chat-message", { content });
  } catch (error) {
    addNote(`Not sent: ${error.message}`, "note fault");
    if (field.value === "") field.value = content;
    fitField();
  }
}

/** The field is as high as what is in it; the style sheet says how high at most. */
function fitField() {
  const field = $("content");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}

function commandText() {
  return [
    `curl '${location.origin}/control/notify?method=channels:chat-lobby' \\`,
    "  -H 'X-API-Key: YOUR_CONTROL_KEY' \\",
    "  -H 'Content-Type: application/json' \\",
    `  -d '{"event":"chat-message","attributes":{"content":"hi","sender":"server"}}'`,
  ].join("\n");
}

/** Where the page came by plain http from elsewhere, the command is selected to be copied by hand. */
async function copyCommand() {
  getSelection().selectAllChildren($("command"));
  try {
    await navigator.clipboard.writeText($("command").textContent);
    $("copy").textContent = "Copied";
  } catch {
    $("copy").textContent = "Selected";
  }
}

$("join").addEventListener("submit", (event) => {
  event.preventDefault();
  connection?.close();
  join($("name").value);
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  say();
});
$("content").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
});
$("content").addEventListener("input", fitField);
$("log").addEventListener("scroll", () => {
  isFollowing = isAtEnd($("log"));
  if (isFollowing) $("newest").hidden = true;
});
new ResizeObserver(() => isFollowing && showNewest()).observe($("log"));
$("newest").addEventListener("click", showNewest);
$("leave").addEventListener("click", leave);
$("copy").addEventListener("click", copyCommand);
addEventListener("online", () => connection?.hurry());

$("command").textContent = commandText();
$("try").open = matchMedia("(min-width: 60rem)").matches;
const knownName = sessionStorage.getItem("name"); // of this tab, before it was loaded anew
if (knownName) join(knownName);
