// Sends each chosen or dropped file and shows the answer. All text of files and answers is set as text, never as HTML.

const form = document.querySelector("form");
const chosen = document.getElementById("files");
const answers = document.getElementById("answers");
const spoken = document.getElementById("spoken");

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function table(row) {
  const made = element("table");
  made.append(element("caption", "Probability of each class"));
  const body = made.createTBody();
  const sorted = Object.entries(row.probabilities).sort((one, other) => other[1] - one[1]);
  for (const [label, probability] of sorted) {
    const line = body.insertRow();
    const head = element("th", label);
    head.scope = "row";
    line.append(head, element("td", percent(probability)));
    const bar = element("i");
    bar.style.width = `${100 * probability}%`;
    const cell = element("td", undefined, "bar");
    cell.setAttribute("aria-hidden", "true");
    cell.append(bar);
    line.append(cell);
  }
  return made;
}

async function ask(file) {
  const body = new FormData();
  body.append("file", file);
  let response;
  try {
    response = await fetch("predict", { method: "POST", body });
  } catch {
    throw new Error("the server doesn't answer");
  }
  const value = await response.json().catch(() => ({ error: `the server answers with status ${response.status}` }));
  if (!response.ok) throw new Error(value.error);
  return value.predictions[0];
}

async function show(file) {
  const card = element("article");
  const text = element("div");
  text.append(element("h2", file.name), element("p", "Waiting for the answer …"));
  card.append(text);
  answers.prepend(card);
  try {
    const row = await ask(file);
    text.lastChild.remove();
    const said = `${row.label}, ${percent(row.score)}`;
    const sure = row.accepted ? said : `Not sure enough; most likely ${said}`;
    text.append(element("p", sure, row.accepted ? "" : "unsure"), table(row));
    spoken.textContent = `${file.name}: ${sure}`;
    const image = element("img");
    image.alt = "";
    image.onload = () => { card.prepend(image); card.classList.add("shown"); URL.revokeObjectURL(image.src); };
    image.onerror = () => URL.revokeObjectURL(image.src); // a kind that the browser can't show
    image.src = URL.createObjectURL(file);
  } catch (error) {
    text.lastChild.remove();
    text.append(element("p", error.message, "bad"));
    spoken.textContent = error.message;
  }
}

async function showAll(files) {
  for (const file of files) await show(file);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  showAll([...chosen.files]);
});
chosen.addEventListener("change", () => {
  showAll([...chosen.files]);
  chosen.value = ""; // so that the same file can be chosen once more
});
document.querySelector("button").hidden = true; // choosing is enough

for (const type of ["dragenter", "dragover"]) {
  addEventListener(type, (event) => { event.preventDefault(); form.classList.add("over"); });
}
addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  showAll([...event.dataTransfer.files]);
});
