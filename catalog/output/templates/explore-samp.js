"use strict";
// What is shown, sent to TOPCAT, Aladin and other programs by SAMP: its Web Profile, XML-RPC to
// the hub on the reader's machine (https://www.ivoa.net/documents/SAMP/, chapter 5).

const HUB = "http://localhost:21012/";
const HUB_PATIENCE = 10_000; // ms, of what asks nobody
let hubKey = null; // of this page, once the hub's user has let it in

/** A value as XML-RPC: SAMP knows text, lists and maps, and nothing else. */
function rpcValue(value) {
  const make = (name, ...children) => {
    const element = rpcPage.createElement(name);
    element.append(...children);
    return element;
  };
  if (Array.isArray(value)) {
    return make("value", make("array", make("data", ...value.map(rpcValue))));
  }
  if (typeof value !== "object") return make("value", make("string", String(value)));
  const members = Object.entries(value).map(([name, one]) =>
    make("member", make("name", name), rpcValue(one)),
  );
  return make("value", make("struct", ...members));
}

const rpcPage = document.implementation.createDocument(null, null);

function rpcCall(method, values) {
  const call = rpcPage.createElement("methodCall");
  const name = rpcPage.createElement("methodName");
  name.append(method);
  const params = rpcPage.createElement("params");
  for (const value of values) {
    const param = params.appendChild(rpcPage.createElement("param"));
    param.append(rpcValue(value));
  }
  call.append(name, params);
  return new XMLSerializer().serializeToString(call);
}

/** The value that an element `value` of XML-RPC holds. */
function rpcRead(element) {
  const held = element.firstElementChild;
  if (!held) return element.textContent;
  if (held.localName === "array") return [...held.querySelectorAll(":scope > data > value")].map(rpcRead);
  if (held.localName !== "struct") return held.textContent;
  const members = [...held.querySelectorAll(":scope > member")].map((member) => [
    member.querySelector(":scope > name").textContent,
    rpcRead(member.querySelector(":scope > value")),
  ]);
  return Object.fromEntries(members);
}

class HubRefuses extends Error {}

/** What the hub answers; an Error if none runs, and HubRefuses if it does not do it. */
async function askHub(method, values, patience = HUB_PATIENCE) {
  const answer = await fetch(HUB, {
    method: "POST",
    body: rpcCall(`samp.webhub.${method}`, values),
    headers: { "Content-Type": "text/xml" },
    credentials: "omit",
    ...(patience ? { signal: AbortSignal.timeout(patience) } : {}),
  });
  const said = new DOMParser().parseFromString(await answer.text(), "text/xml");
  const fault = said.querySelector("methodResponse > fault > value");
  if (fault) throw new HubRefuses(rpcRead(fault).faultString ?? "");
  const value = said.querySelector("methodResponse > params > param > value");
  return value ? rpcRead(value) : null;
}

/** Register, which the hub's user is asked to allow. */
async function enterHub() {
  const met = await askHub("register", [{ "samp.name": "Zoolens" }], 0);
  hubKey = met["samp.private-key"];
  const about = { "samp.name": "Zoolens", "samp.description.text": document.title };
  await askHub("declareMetadata", [hubKey, about]);
}

/** Tell every program that takes such a message; returns their names. */
async function tellAll(mtype, params) {
  const takers = Object.keys(await askHub("getSubscribedClients", [hubKey, mtype]));
  const names = takers.map((id) =>
    askHub("getMetadata", [hubKey, id]).then((about) => about["samp.name"] ?? id),
  );
  if (takers.length) {
    const message = { "samp.mtype": mtype, "samp.params": params };
    await askHub("notifyAll", [hubKey, message]);
  }
  return Promise.all(names);
}

/**
 * Send by SAMP: what in words; mtype and params as of the message; say is given a sentence on
 * how it goes, and at last how it went.
 */
async function send(what, mtype, params, say) {
  try {
    let names = null;
    if (hubKey) names = await tellAll(mtype, params).catch(forgetHub);
    if (names === null) {
      say("Asking to be let in: allow Zoolens in the window of TOPCAT, Aladin or another hub.");
      await enterHub();
      names = await tellAll(mtype, params);
    }
    say(
      names.length
        ? `Sent ${what} to ${names.join(", ")}.`
        : `No program that is running takes ${what}: start TOPCAT or Aladin, and send it again.`,
    );
  } catch (error) {
    say(
      error instanceof HubRefuses
        ? "The hub did not let this page in. Send again to be asked once more."
        : "No SAMP hub runs on this machine: start TOPCAT or Aladin, and send it again.",
    );
  }
}

/** The hub was started anew, and does not know this page any longer. */
function forgetHub(error) {
  hubKey = null;
  if (error instanceof HubRefuses) return null;
  throw error;
}

const absolute = (address) => new URL(address, document.baseURI).href;

function sendTable(address, name, say) {
  const url = absolute(address);
  return send("the table", "table.load.votable", { url, name, "table-id": url }, say);
}

function sendImage(address, name, say) {
  const url = absolute(address);
  return send("the image", "image.load.fits", { url, name, "image-id": url }, say);
}

function sendPosition(ra, dec, say) {
  return send("the position", "coord.pointAt.sky", { ra: String(ra), dec: String(dec) }, say);
}

addEventListener("pagehide", () => {
  if (hubKey) navigator.sendBeacon(HUB, rpcCall("samp.webhub.unregister", [hubKey]));
  hubKey = null;
});
