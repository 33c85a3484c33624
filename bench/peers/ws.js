// Who connects to /listen/NAME gets what is posted to /publish/NAME.
const http = require("http");
const { WebSocketServer } = require("ws");

const channels = new Map();

function membersOf(name) {
  if (!channels.has(name)) channels.set(name, new Set());
  return channels.get(name);
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    response.setHeader("Content-Length", 2);
    response.end("{}");
    const event = Buffer.concat(chunks);
    for (const socket of membersOf(request.url.slice(9))) socket.send(event, { binary: false });
  });
});

new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket, request) => {
  const members = membersOf(request.url.slice(8));
  members.add(socket);
  socket.on("close", () => members.delete(socket));
});

server.keepAliveTimeout = 600000;
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
