"use strict";
// The value under the pointer, or under the finger.

const tooltip = document.getElementById("tooltip");

/** For `View.tooltip`: `value` has a title, and a value for each name. */
function showTooltip(_handler, event, _item, value) {
  if (!value) {
    tooltip.hidden = true;
    return;
  }
  const { title, ...rest } = value;
  const head = document.createElement("b");
  head.textContent = title || "";
  const list = document.createElement("dl");
  for (const [name, text] of Object.entries(rest)) {
    list.append(element("dt", name), element("dd", text));
  }
  tooltip.replaceChildren(head, list);
  tooltip.hidden = false;
  const { clientX = 0, clientY = 0 } = event.touches?.[0] || event.changedTouches?.[0] || event;
  const { offsetWidth: width, offsetHeight: height } = tooltip;
  const left = Math.min(clientX + 14, document.documentElement.clientWidth - width - 8);
  const above = clientY - height - 14;
  tooltip.style.left = `${Math.max(8, left)}px`;
  tooltip.style.top = `${above > 8 ? above : clientY + 18}px`;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
