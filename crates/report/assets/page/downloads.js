"use strict";
// Files that are inside of the page, unpacked when somebody wants them.

async function unpacked(file) {
  const packed = document.querySelector(`script[data-file="${CSS.escape(file)}"]`).textContent;
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

async function download({ dataset }) {
  const text = await unpacked(dataset.download);
  const link = document.createElement("a");
  link.download = dataset.download;
  link.href = URL.createObjectURL(new Blob([text], { type: dataset.kind }));
  link.click();
  URL.revokeObjectURL(link.href);
}

for (const button of document.querySelectorAll("[data-download]")) {
  button.disabled = !("DecompressionStream" in window);
  button.addEventListener("click", () => download(button));
}
