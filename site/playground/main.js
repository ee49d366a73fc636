// The page: what is typed goes to the worker, and nowhere else.
const $ = (id) => document.getElementById(id);
const source = $("source");
const status = $("status");
const findings = $("findings");
const release = $("release");
const PAUSE = 150;

const worker = new Worker("worker.js", { type: "module" });
let turn = 0;
let timer;
let isReady = false;

function check() {
  turn += 1;
  findings.setAttribute("aria-busy", "true");
  worker.postMessage({ kind: "check", text: source.value, release: release.value, turn });
}

function fix(unsafe) {
  worker.postMessage({ kind: "fix", text: source.value, release: release.value, unsafe });
}

function soon() {
  turn += 1; // an answer about an older text is none
  findings.setAttribute("aria-busy", "true");
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
}

// ANSI colours, as at the terminal, in elements: never as HTML, since the text is anyone's.
const TONES = { 31: "error", 33: "warning", 36: "note" };
function painted(text) {
  const made = document.createDocumentFragment();
  let tone = "";
  let isBold = false;
  for (const part of text.split(/(\x1b\[[0-9;]*m)/)) {
    const code = /^\x1b\[([0-9;]*)m$/.exec(part);
    if (code) {
      for (const each of code[1].split(";")) {
        if (each === "0" || each === "") [tone, isBold] = ["", false];
        else if (each === "1") isBold = true;
        else tone = TONES[each] ?? tone;
      }
    } else if (part) {
      const span = document.createElement("span");
      span.className = [tone, isBold ? "bold" : ""].join(" ").trim();
      span.textContent = part;
      made.append(span);
    }
  }
  return made;
}

function jump({ line, column, length }) {
  const lines = source.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  // Columns count characters; a text area counts units of UTF-16.
  const characters = [...(lines[line - 1] ?? "")];
  const from = start + characters.slice(0, column - 1).join("").length;
  const to = from + characters.slice(column - 1, column - 1 + length).join("").length;
  source.focus();
  source.setSelectionRange(from, to);
  const height = parseFloat(getComputedStyle(source).lineHeight);
  source.scrollTop = Math.max(0, (line - 4) * height);
}

function show(answer) {
  status.textContent = answer.summary;
  findings.replaceChildren(
    ...answer.findings.map((each) => {
      const item = document.createElement("li");
      // The message wraps; the source line and its caret stay below each other.
      let source;
      for (const line of each.text.split("\n")) {
        const isSource = /^ +\d* \| /.test(line);
        if (!isSource || !source) {
          source = document.createElement(isSource ? "pre" : "p");
          item.append(source);
        } else source.append("\n");
        source.append(painted(line));
        if (!isSource) source = undefined;
      }
      const go = document.createElement("button");
      go.type = "button";
      go.textContent = `Go to line ${each.line}`;
      go.addEventListener("click", () => jump(each));
      const why = document.createElement("a");
      why.href = `../rules/${each.code}/`;
      why.textContent = `Why ${each.code}`;
      item.append(go, why);
      return item;
    }),
  );
  $("fix").disabled = answer.safe === 0;
  $("fix").textContent = answer.safe ? `Fix ${answer.safe}` : "Nothing to fix";
  $("guess").disabled = answer.safe + answer.unsafe === 0;
  $("guess").hidden = answer.unsafe === 0;
  findings.setAttribute("aria-busy", "false");
  document.body.dataset.took = answer.took.toFixed(0);
}

worker.onmessage = ({ data }) => {
  if (data.kind === "ready") {
    isReady = true;
    for (const each of data.known) {
      release.add(new Option(each, each, each === data.default, each === data.default));
    }
    release.disabled = false;
    check();
  } else if (data.kind === "check") {
    if (data.turn === turn) show(data);
  } else if (data.kind === "fix") {
    source.value = data.text;
    source.focus();
    check();
  } else {
    status.textContent = `The checker failed: ${data.message}`;
  }
};

source.addEventListener("input", () => isReady && soon());
source.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) check();
});
release.addEventListener("change", check);
$("fix").addEventListener("click", () => fix(false));
$("guess").addEventListener("click", () => fix(true));
