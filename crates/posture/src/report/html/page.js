// Narrows the list of controls; without scripts everything is shown.
const search = document.querySelector("input[type=search]");
const buttons = [...document.querySelectorAll(".tools button[data-severity]")];
const controls = [...document.querySelectorAll("details.control")];
const nothing = document.querySelector("#nothing");
const narrow = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.severity);
  let shown = 0;
  for (const control of controls) {
    const text = control.textContent.toLowerCase();
    const fits = words.every((word) => text.includes(word)) && (!wanted.length || wanted.includes(control.dataset.severity));
    control.hidden = !fits;
    shown += fits;
  }
  nothing.hidden = shown > 0;
};
if (search) {
  document.querySelector(".tools").hidden = false;
  search.addEventListener("input", narrow);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      narrow();
    });
  }
  const all = document.querySelector("#open-all");
  all.addEventListener("click", () => {
    const open = all.dataset.open !== "yes";
    controls.forEach((control) => { control.open = open; });
    all.dataset.open = open ? "yes" : "no";
    all.textContent = open ? "Close all" : "Open all";
  });
}
