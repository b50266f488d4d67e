// The page: who is logged in, and the buttons.

import { finishLogIn, logIn, logOut } from "./login.js";
import { discover } from "./server.js";
import * as session from "./session.js";

/** The user whom the page shows. */
let shown;

const element = (id) => document.getElementById(id);

onClick("log-in", logIn);
onClick("log-out", logOut);
onClick("refresh", async () => {
  await session.refresh((await session.current())?.accessToken);
  await show();
});
addEventListener("session", ({ detail }) => tell(detail));
session.onChange(async () => {
  // Another tab has logged in or out, and not only refreshed.
  if ((await session.current())?.subject !== shown) attempt(show);
});

await attempt(finishLogIn);
await attempt(show);

/** Shows who is logged in. */
async function show() {
  const user = await userinfo();
  shown = user?.sub;
  element("logged-in").hidden = user === null;
  element("logged-out").hidden = user !== null;
  element("name").textContent = user?.name ?? user?.sub ?? "";
  element("email").textContent = user?.email ?? "";
}

/** What the server says about the user; null when nobody is logged in. */
async function userinfo() {
  if ((await session.current()) === null) return null;
  const { userinfo_endpoint } = await discover();
  const response = await session.authorizedFetch(userinfo_endpoint);
  if (response === null) return null;
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const user = await response.json();
  // OpenID Connect Core §5.3.4: the answer must be about the user of the ID token.
  if (user.sub !== (await session.current())?.subject) throw new Error("the server answered about somebody else");
  return user;
}

function onClick(id, action) {
  element(id).addEventListener("click", () => attempt(action));
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    tell(error.message);
  }
}

function tell(what) {
  const item = document.createElement("li");
  item.textContent = what;
  element("events").prepend(item);
}
