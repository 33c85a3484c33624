// The page of a customer: orders cakes, and sees what becomes of them.

import { ask, listen } from "./live.js";

const $ = (id) => document.getElementById(id);

let name = sessionStorage.getItem("name");
let token;

async function getPass() {
  const pass = await ask("POST", "/api/login", { body: { name } });
  token = pass.token;
  return pass;
}

const lineOf = (order) => document.querySelector(`[data-id="${order.id}"]`);

function make(order) {
  const line = Object.assign(document.createElement("li"), { className: "order" });
  line.dataset.id = order.id;
  line.append(document.createElement("b"), document.createElement("span"));
  $("orders").prepend(line);
  return line;
}

function show(order) {
  const line = lineOf(order) ?? make(order);
  line.children[0].textContent = order.cake;
  line.children[1].textContent = order.state;
}

function note(text) {
  $("news").prepend(Object.assign(document.createElement("li"), { textContent: text }));
}

async function showAll() {
  const orders = await ask("GET", "/api/orders", { token });
  $("orders").replaceChildren();
  orders.forEach(show);
}

async function enter() {
  await getPass();
  sessionStorage.setItem("name", name);
  $("login").hidden = true;
  $("order").hidden = false;
  listen(getPass, {
    event(event, order) {
      if (event === "order-removed") lineOf(order)?.remove();
      else show(order);
      if (event === "order-changed") note(`${order.cake}: ${order.state}`);
    },
    connected: showAll,
    state(text) { $("state").textContent = text; },
  });
}

async function attempt(event, work) {
  event.preventDefault();
  $("fault").textContent = "";
  try {
    await work();
  } catch (error) {
    $("fault").textContent = error.message;
  }
}

$("login").addEventListener("submit", (event) => attempt(event, () => {
  name = $("name").value.trim();
  return enter();
}));
$("order").addEventListener("submit", (event) => attempt(event, async () => {
  await ask("POST", "/api/orders", { token, body: { cake: $("cake").value.trim() } });
  $("cake").value = "";
}));

if (name) enter().catch((error) => { $("fault").textContent = error.message; });
