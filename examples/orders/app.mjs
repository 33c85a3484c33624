// An app server: it knows the customers and their orders, and tells chatty by REST who shall hear what. No packages.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";

const CHATTY = process.env.CHATTY ?? "http://localhost:3000";
const PORT = Number(process.env.PORT ?? 8080);
const { CONTROL_KEY } = process.env;

const STATES = ["placed", "in the oven", "on its way", "delivered"];
const SHOP = "shop-1"; // a user, and the channel in which it hears of all orders
const BODY_MAX = 1000;

// --- chatty ----------------------------------------------------------------------------------------------

/** One request to chatty. What is refused is an error with chatty's own words. */
async function chatty(method, path, { body, authorization = `Bearer ${CONTROL_KEY}` } = {}) {
  const response = await fetch(CHATTY + path, {
    method,
    headers: { Authorization: authorization, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refusal(response.status, answer.errors[0].detail);
  return answer;
}

/** `how` is subscribe or unsubscribe; the channel is "type-id". It holds whether the user is there or not. */
const change = (how, user, type, id) => {
  const path = `/control/subscription/${how}?method=users:${encodeURIComponent(user)}`;
  return chatty("POST", path, { body: { data: { type, id } } });
};

const notify = (channels, event, attributes) =>
  chatty("POST", `/control/notify?method=channels-efficient:${channels}`, { body: { event, attributes } });

/** What a page needs to hear of its user's events: where, and a token that says who it is. */
async function passOf(user) {
  const { token } = await chatty("POST", "/auth/token", { body: { sub: user, ttl: 3600 } });
  return { token, url: `${CHATTY.replace(/^http/, "ws")}/ws` };
}

/** Whose token came with a request. */
async function userOf(request) {
  const { sub } = await chatty("GET", "/auth/test-jwt", { authorization: request.headers.authorization ?? "none" });
  return sub;
}

// --- orders ----------------------------------------------------------------------------------------------

const orders = new Map(); // id -> order; a real shop has a database
const firstId = Date.now(); // no id of an earlier run
let placed = 0;

async function place(customer, cake) {
  const order = { id: String(firstId + placed++), customer, cake, state: STATES[0] };
  orders.set(order.id, order);
  await change("subscribe", customer, "order", order.id);
  await notify(`order-${order.id},${SHOP}`, "order-placed", order);
  return order;
}

function find(id) {
  const order = orders.get(id);
  if (!order) throw new Refusal(404, "There is no such order.");
  return order;
}

async function advance(id) {
  const order = find(id);
  if (order.state === STATES.at(-1)) throw new Refusal(409, "It is delivered.");
  order.state = STATES[STATES.indexOf(order.state) + 1];
  await notify(`order-${id},${SHOP}`, "order-changed", order);
  return order;
}

/** The last event of an order; then nobody needs to hear of it any more. */
async function putAway(id) {
  const order = find(id);
  orders.delete(id);
  await notify(`order-${id},${SHOP}`, "order-removed", order);
  await change("unsubscribe", order.customer, "order", id);
  return order;
}

// --- HTTP ------------------------------------------------------------------------------------------------

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function readJson(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > BODY_MAX) throw new Refusal(413, "That is too long.");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, "The body is no JSON.");
  }
}

function checkText(value, what) {
  if (typeof value === "string" && /^[\p{L}\p{N} ]{1,30}$/u.test(value)) return value;
  throw new Refusal(400, `${what} has 1 to 30 letters, digits and blanks.`);
}

// A sample: who knows the name of a customer is that customer, and everybody may look into the shop.
const routes = {
  "POST /api/login": async (request) => {
    const { name } = await readJson(request);
    return passOf(`customer-${checkText(name, "A name").replaceAll(" ", "-")}`);
  },
  "GET /api/orders": async (request) => {
    const customer = await userOf(request);
    return [...orders.values()].filter((order) => order.customer === customer);
  },
  "POST /api/orders": async (request) => {
    const customer = await userOf(request);
    return place(customer, checkText((await readJson(request)).cake, "A cake"));
  },
  "POST /api/shop/login": () => passOf(SHOP),
  "GET /api/shop/orders": () => [...orders.values()],
  "POST /api/shop/advance": async (request) => advance((await readJson(request)).id),
  "POST /api/shop/put-away": async (request) => putAway((await readJson(request)).id),
};

const FILES = {
  "/": ["index.html", "text/html"], "/shop": ["shop.html", "text/html"], "/style.css": ["style.css", "text/css"],
  "/live.js": ["live.js", "text/javascript"], "/customer.js": ["customer.js", "text/javascript"],
  "/shop.js": ["shop.js", "text/javascript"],
};

async function answer(request) {
  const file = request.method === "GET" && FILES[request.url];
  if (file) return [200, `${file[1]}; charset=utf-8`, await readFile(new URL(`public/${file[0]}`, import.meta.url))];
  const route = routes[`${request.method} ${request.url}`];
  if (!route) throw new Refusal(404, "There is nothing here.");
  return [200, "application/json", JSON.stringify(await route(request))];
}

const server = createServer(async (request, response) => {
  let status, type, body;
  try {
    [status, type, body] = await answer(request);
  } catch (error) {
    [status, type] = [error.status ?? 503, "application/json"];
    body = JSON.stringify({ message: error.status ? error.message : "The shop does not reach chatty." });
    if (!error.status) console.error(error);
  }
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" }).end(body);
});

if (!CONTROL_KEY) {
  console.error("CONTROL_KEY is missing: it stands in the .env of chatty");
  process.exit(1);
}
try {
  await change("subscribe", SHOP, "shop", "1");
} catch (error) {
  console.error(`chatty at ${CHATTY} cannot be used: ${error.cause?.code ?? error.message}`);
  process.exit(1);
}
server.listen(PORT, "localhost", () => console.log(`the shop is open: http://localhost:${server.address().port}/`));
