// A browser as far as the login pages need one: it keeps cookies, follows redirects, and sends forms.

import { once } from "node:events";
import http from "node:http";
import { text } from "node:stream/consumers";

/** More pages and redirects than any login has. */
const STEPS_MAX = 12;

/** One user's browser. It talks to one server, so its cookies are a list of names and values. */
export class Browser {
  #cookies = new Map();

  /**
   * Opens `url`, and on each page on the way sends the form that has one of the buttons in `answers`, with its fields
   * filled in as they say. Returns the URL of `redirectUri` that the server sends the browser to in the end.
   */
  async visit(url, redirectUri, answers) {
    let request = { url: new URL(url) };
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const { status, location, page } = await this.#send(request);
      if (location !== undefined) {
        request = { url: new URL(location, request.url) };
        if (request.url.href.split("?")[0] === redirectUri) return request.url;
        continue;
      }
      const isPressed = ({ name, value }) => answers[name] === value;
      const form = readForms(page).find(({ buttons }) => buttons.some(isPressed));
      if (status !== 200 || form === undefined) throw new Error(`${status} at ${request.url}:\n${page}`);
      const controls = [...form.fields, form.buttons.find(isPressed)];
      const filled = new URLSearchParams(controls.map(({ name, value }) => [name, answers[name] ?? value ?? ""]));
      request = { url: new URL(form.action, request.url), form: filled };
    }
    throw new Error(`${STEPS_MAX} pages after ${url} the browser was not sent back`);
  }

  async #send({ url, form }) {
    const headers = { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    if (form !== undefined) {
      headers.origin = url.origin;
      headers["content-type"] = "application/x-www-form-urlencoded";
    }
    const request = http.request(url, { method: form === undefined ? "GET" : "POST", headers });
    request.end(form?.toString());
    const [response] = await once(request, "response");
    for (const cookie of response.headers["set-cookie"] ?? []) {
      const [, name, value, attributes] = /^([^=]*)=([^;]*)(.*)$/.exec(cookie);
      if (/max-age=0\b/i.test(attributes)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return { status: response.statusCode, location: response.headers.location, page: await text(response) };
  }
}

/** Every form of `page`. */
function readForms(page) {
  return [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, attributes, content]) => ({
    action: readAttributes(attributes).action,
    fields: readControls(content, "input").filter(({ type, checked }) => type !== "checkbox" || checked !== undefined),
    buttons: readControls(content, "button"),
  }));
}

function readControls(content, element) {
  const controls = content.matchAll(new RegExp(`<${element}\\b([^>]*)>`, "g"));
  return [...controls].map(([, attributes]) => readAttributes(attributes)).filter(({ name }) => name !== undefined);
}

function readAttributes(source) {
  const attributes = source.matchAll(/([a-z-]+)(?:="([^"]*)")?/g);
  return Object.fromEntries([...attributes].map(([, name, value = ""]) => [name, unescape(value)]));
}

/** Text without character references; templates write them as numbers. */
function unescape(escaped) {
  return escaped.replace(/&#([0-9]+);/g, (reference, code) => String.fromCodePoint(code));
}
