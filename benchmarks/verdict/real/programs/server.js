// node server.js PORT clean|keep|cache [BYTES]: answers a POST with the length of its body, and makes garbage.
// keep: BYTES of every request are kept as an array; cache: the newest 12,000 requests are kept.
const http = require("http");
const [port, mode, bytes] = [+process.argv[2], process.argv[3], +(process.argv[4] || 4096)];
const kept = [];
const cache = new Map();
let count = 0;
http
  .createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const text = Buffer.concat(parts).toString("base64");
      const words = Array.from({ length: 2000 }, (_, i) => ({ word: text.slice(i, i + 8), at: i }));
      const sorted = words.sort((a, b) => (a.word < b.word ? -1 : 1)).map((w) => w.word);
      if (mode === "keep") kept.push(Array.from({ length: bytes / 8 }, (_, i) => i + Math.random()));
      if (mode === "cache") {
        cache.set(++count, Array.from({ length: bytes / 8 }, (_, i) => i + Math.random()));
        cache.delete(count - 12000);
      }
      const answer = String(sorted.length);
      response.writeHead(200, { "Content-Length": answer.length });
      response.end(answer);
    });
  })
  .listen(port, "127.0.0.1");
