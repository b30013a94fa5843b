// The page reads without this; it makes links a little better.

// A link into something folded unfolds it.
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || !target.closest("details")) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();

// The table of contents closes when a link is chosen where it opens over the page.
const contents = document.getElementById("contents");
contents.addEventListener("click", (event) => {
  if (event.target.closest("a") && contents.matches(":popover-open")) contents.hidePopover();
});

// It shows which heading the reader is at.
const links = [...contents.querySelectorAll("a")];
const places = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
function mark() {
  const end = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  let here = end ? places.length - 1 : 0;
  if (!end) places.forEach((place, index) => { if (place.getBoundingClientRect().top < innerHeight / 4) here = index; });
  links.forEach((link, index) => index === here
    ? link.setAttribute("aria-current", "location") : link.removeAttribute("aria-current"));
}
let waiting = false;
addEventListener("scroll", () => {
  if (!waiting) requestAnimationFrame(() => { waiting = false; mark(); });
  waiting = true;
}, { passive: true });
mark();
