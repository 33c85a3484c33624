// The page of the shop: all orders, and a button that brings one a step further.

import { ask, listen } from "./live.js";

const $ = (id) => document.getElementById(id);

const lineOf = (order) => document.querySelector(`[data-id="${order.id}"]`);

function make(order) {
  const line = Object.assign(document.createElement("li"), { className: "order" });
  line.dataset.id = order.id;
  line.append(document.createElement("b"), document.createElement("span"), document.createElement("button"));
  $("orders").prepend(line);
  return line;
}

function show(order) {
  const line = lineOf(order) ?? make(order);
  const [what, state, button] = line.children;
  const step = order.state === "delivered" ? "put-away" : "advance";
  what.textContent = `${order.cake} for ${order.customer}`;
  state.textContent = order.state;
  button.textContent = step === "advance" ? "Next step" : "Put away";
  button.onclick = () => ask("POST", `/api/shop/${step}`, { body: { id: order.id } }).catch(tell);
}

function tell(error) {
  $("fault").textContent = error.message;
}

async function showAll() {
  const orders = await ask("GET", "/api/shop/orders");
  $("orders").replaceChildren();
  orders.forEach(show);
}

listen(() => ask("POST", "/api/shop/login", { body: {} }), {
  event(event, order) {
    if (event === "order-removed") lineOf(order)?.remove();
    else show(order);
  },
  connected: showAll,
  state(text) { $("state").textContent = text; },
});
