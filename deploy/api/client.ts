// A client that is generated from the OpenAPI document signs in, pages through a list and adds a song, without a cast: what
// the types do not say cannot be used here. `node out/client.js demo.json` plays it against the stack of that file.

import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

interface Demo {
  urls: { gateway: string; mailbox: string };
  logins: { role: string; tenant_slug: string | null; email: string; password: string }[];
}

const demo: Demo = JSON.parse(readFileSync(process.argv[2] ?? "demo.json", "utf8"));
const api = createClient<paths>({ baseUrl: demo.urls.gateway });

function fail(what: string, error?: { code?: string; message: string }): never {
  console.error(what, error?.code ?? "", error?.message ?? "");
  process.exit(1);
}

async function mailedCode(email: string, known: Set<string>): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    const search = `${demo.urls.mailbox}/api/v1/search?query=to:${encodeURIComponent(email)}`;
    const found: { messages: { ID: string }[] } = await (await fetch(search)).json();
    const newest = found.messages.find((message) => !known.has(message.ID));
    if (newest) {
      const mail: { Text: string } = await (await fetch(`${demo.urls.mailbox}/api/v1/message/${newest.ID}`)).json();
      const code = /\b\d{6}\b/.exec(mail.Text)?.[0];
      if (code) return code;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return fail(`no code came for ${email}`);
}

async function mailsOf(email: string): Promise<Set<string>> {
  const search = `${demo.urls.mailbox}/api/v1/search?query=to:${encodeURIComponent(email)}`;
  const found: { messages: { ID: string }[] } = await (await fetch(search)).json();
  return new Set(found.messages.map((message) => message.ID));
}

const login = demo.logins.find(({ role }) => role === "SUPER_ADMIN") ?? fail("no login");
const known = await mailsOf(login.email);
const started = await api.POST("/api/v1/auth/super-admin/login/", {
  body: { email: login.email, password: login.password },
});
if (started.error) fail("sign-in", started.error);
const otp = await mailedCode(login.email, known);
const signedIn = await api.POST("/api/v1/auth/super-admin/login/verify-otp/", {
  body: { challenge_id: started.data.data.challenge_id, otp },
});
if (signedIn.error) {
  // The codes of a status are a closed set.
  if (signedIn.error.code === "otp_invalid") fail("the code is wrong", signedIn.error);
  fail("second step", signedIn.error);
}
const role: "LISTENER" | "ADMIN" | "SUPER_ADMIN" = signedIn.data.data.user.role;
const headers = { Authorization: `Bearer ${signedIn.data.data.access}` };

const genres = await api.GET("/api/v1/genres/", { headers, params: { query: { page_size: 100 } } });
if (genres.error) fail("genres", genres.error);
const genre = genres.data.data[0] ?? fail("no genre");

const titles = ["One", "Two", "Three"].map((title) => `${title} ${Date.now()}`);
for (const title of titles) {
  const made = await api.POST("/api/v1/songs/", {
    headers,
    params: { header: { "Idempotency-Key": title } },
    body: { title, artist: "Generated Client", genre: genre.id, duration: 180 },
  });
  if (made.error) fail("song", made.error);
  if (made.data.data.visibility !== "GLOBAL") fail(`a ${made.data.data.visibility} song`);
}

type Page = Awaited<ReturnType<typeof songs>>;
const songs = (cursor: string) =>
  api.GET("/api/v1/songs/", {
    headers,
    params: { query: { artist: ["Generated Client"], ordering: "title", page_size: 2, cursor } },
  });
const seen: string[] = [];
let cursor: string | null = "";
while (cursor !== null) {
  const page: Page = await songs(cursor);
  if (page.error) fail("songs", page.error);
  seen.push(...page.data.data.map((song) => song.title));
  cursor = page.data.next_cursor ?? null;
}
if (!titles.every((title) => seen.includes(title))) fail(`the songs are not on the list: ${seen.join(", ")}`);
console.log(`${role} signed in, added ${titles.length} songs and found them on ${Math.ceil(seen.length / 2)} pages`);
