// Clients of Socket.IO, told what to do line by line as JSON on standard input; tells what happens as JSON on
// standard output, a line each. {"do": "open", "id", "url", "options"}, "emit" with "event", "args" and perhaps
// "ack", "upgrade", "close", "cut" (the connection, as a network does), "open-again", "answer" (how acknowledgements
// that the server asks for are given). A binary is {"$binary": base64}, both ways.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const sockets = new Map();

const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");

function pack(value) {
  if (Buffer.isBuffer(value)) return { $binary: value.toString("base64") };
  if (Array.isArray(value)) return value.map(pack);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, pack(item)]));
}

function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$binary === "string") return Buffer.from(value.$binary, "base64");
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpack(item)]));
}

const transportOf = (socket) => socket.io.engine?.transport?.name;

function open({ id, url, options }) {
  const socket = io(url, options);
  const own = { socket, answer: undefined };
  sockets.set(id, own);
  socket.on("connect", () => {
    tell({ id, on: "connect", sid: socket.id, recovered: socket.recovered, transport: transportOf(socket) });
    const tellUpgrade = () => tell({ id, on: "upgrade", transport: transportOf(socket) });
    if (transportOf(socket) === "websocket") tellUpgrade();
    else socket.io.engine.once("upgrade", tellUpgrade);
  });
  socket.on("connect_error", (error) => tell({ id, on: "connect_error", message: error.message, data: error.data }));
  socket.on("disconnect", (reason) => tell({ id, on: "disconnect", reason }));
  socket.io.on("reconnect_attempt", (count) => tell({ id, on: "reconnect_attempt", count }));
  socket.onAny((event, ...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
    tell({ id, on: "event", event, args: pack(args) });
    if (ack !== undefined && own.answer !== undefined) ack(...unpack(own.answer));
  });
}

const orders = {
  open,
  emit({ id, event, args, ack }) {
    const { socket } = sockets.get(id);
    if (ack === undefined) return socket.emit(event, ...unpack(args));
    socket.emit(event, ...unpack(args), (...answer) => tell({ id, on: "ack", ack, args: pack(answer) }));
  },
  answer({ id, args }) {
    sockets.get(id).answer = args;
    tell({ id, on: "answering" });
  },
  auth({ id, auth }) {
    sockets.get(id).socket.auth = auth;
  },
  cut({ id }) {
    const transport = sockets.get(id).socket.io.engine.transport;
    if (transport.name === "websocket") transport.ws.terminate();
    else transport.onError("cut");
  },
  close({ id }) {
    sockets.get(id).socket.disconnect();
  },
  "open-again"({ id }) {
    sockets.get(id).socket.connect();
  },
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    orders[order.do](order);
  })
  .on("close", () => process.exit(0));

tell({ on: "ready" });
