// The ways of the forerunner: a JSON Web Token opens the socket, rooms are channels, and a POST notifies them.
// Subscriptions are those that the socket asks for, because it must be connected to be in a room.
const express = require("express");
const http = require("http");
const jwt = require("jsonwebtoken");
const { Server } = require("socket.io");

const app = express();
const server = http.createServer(app);
const io = new Server(server);

io.use((socket, next) => {
  const token = (socket.handshake.headers.authorization || "").replace(/^Bearer /, "");
  jwt.verify(token, process.env.JWT_SECRET, { algorithms: ["HS256"] }, (error, claims) => {
    if (error) return next(error);
    socket.data.user = claims.sub;
    next();
  });
});

io.on("connection", (socket) => socket.join(socket.handshake.query.channel));

app.post("/control/notify", express.json(), (request, response) => {
  const [kind, list] = String(request.query.method).split(":");
  if (kind !== "channels") return response.status(400).json({ msg: "method" });
  response.json({ msg: "Notified." });
  for (const channel of list.split(",")) io.to(channel).emit(request.body.event, request.body.attributes);
});

server.keepAliveTimeout = 600000;
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
