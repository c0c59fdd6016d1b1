/** Says something to screen readers without moving the focus: saved, moved, loaded. */
let region: HTMLElement | null = null;

export function announce(message: string) {
  if (!region?.isConnected) {
    region = document.createElement("div");
    region.className = "sr-only";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  // The same text twice would not be read: empty it first, then speak in the next frame.
  region.textContent = "";
  const target = region;
  setTimeout(() => {
    target.textContent = message;
  }, 50);
}
