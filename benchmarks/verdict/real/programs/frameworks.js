// node frameworks.js FRAMEWORK PORT: answers a POST with the length of its body (ws: echoes messages).
// FRAMEWORK is http, which is Node's own, or one of the packages express, fastify, koa and ws.
const [framework, port] = [process.argv[2], +process.argv[3]];

function bodyOf(request) {
  return new Promise((resolve) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => resolve(Buffer.concat(parts)));
  });
}

const servers = {
  http() {
    const server = require("http").createServer(async (request, response) => {
      const answer = String((await bodyOf(request)).length);
      response.writeHead(200, { "Content-Length": answer.length });
      response.end(answer);
    });
    server.listen(port, "127.0.0.1");
  },
  express() {
    const express = require("express");
    const app = express();
    app.use(express.raw({ type: () => true, limit: "1mb" }));
    app.use((request, response) => response.send(String((request.body || "").length)));
    app.listen(port, "127.0.0.1");
  },
  fastify() {
    const app = require("fastify")();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));
    app.post("/*", async (request) => String((request.body || "").length));
    app.listen({ port, host: "127.0.0.1" });
  },
  koa() {
    const Koa = require("koa");
    const app = new Koa();
    app.use(async (context) => {
      context.body = String((await bodyOf(context.req)).length);
    });
    app.listen(port, "127.0.0.1");
  },
  ws() {
    const { WebSocketServer } = require("ws");
    const server = new WebSocketServer({ port, host: "127.0.0.1" });
    server.on("connection", (socket) => socket.on("message", (message) => socket.send(message)));
  },
};

servers[framework]();
