/* Pages are made by the server. This asks for them anew when something was saved, and puts in what is different:
   the frame keeps its place, open details stay open, the focus stays where it was. */
"use strict";
(() => {
  const own = document.currentScript;
  const status = document.getElementById("connection");
  let asked = 0, going = 0, news = false;

  /** Show what stands at an address now, without leaving the page; the last wish counts. */
  async function show(address, request) {
    const mine = ++asked;
    going += 1;
    try {
      const answer = await fetch(address, request);
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine === asked) put(answer, next);
    } finally {
      going -= 1;
    }
    if (news && !going) refresh();
  }

  /** News wait for what somebody asked for just now: it may bring another address. */
  function refresh() {
    news = going > 0;
    if (!news) show(location.href).catch(lost);
  }

  function put(answer, next) {
    document.title = next.title;
    document.getElementById("stage")?.setAttribute("class", next.getElementById("stage")?.className ?? "mail");
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = next.getElementById(old.id);
      if (fresh) renew(old, fresh);
    }
    for (const link of document.querySelectorAll(".tongues a")) {
      link.href = next.querySelector(`.tongues a[lang=${link.lang}]`).href;
    }
    fit();
    if (answer.url !== location.href) history.replaceState(null, "", answer.url);
  }

  function renew(old, fresh) {
    if (old.id === "view" && sameFrame(old, fresh)) return;
    if (text(old) === text(fresh)) return;
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    const open = new Set([...old.querySelectorAll("details[open]")].map(key));
    for (const details of fresh.querySelectorAll("details")) details.open = open.has(key(details));
    const typed = focus?.matches("input") ? [focus.value, focus.selectionStart, focus.selectionEnd] : null;
    const scrolled = old.querySelector(".listed, .raw")?.scrollTop ?? 0;
    old.replaceWith(fresh);
    const list = fresh.querySelector(".listed, .raw");
    if (list) list.scrollTop = scrolled;
    const again = focus?.id && document.getElementById(focus.id);
    if (again) {
      if (typed) again.value = typed[0];
      again.focus({ preventScroll: true });
      if (typed) again.setSelectionRange(typed[1], typed[2]);
    }
  }

  const key = (details) => details.dataset.key ?? details.className;

  function text(element) {
    const copy = element.cloneNode(true);
    for (const details of copy.querySelectorAll("details")) details.open = false;
    return copy.outerHTML;
  }

  /** Two states of the mail: load the new one behind the old one, take over its place, then swap. No flash, no jump. */
  function sameFrame(old, fresh) {
    const [pane, next] = [old.querySelector(".pane"), fresh.querySelector(".pane")];
    if (!pane || !next) return false;
    const [frame, wanted] = [pane.querySelector("iframe:last-of-type"), next.querySelector("iframe")];
    pane.className = next.className;
    frame.title = wanted.title;
    if (frame.getAttribute("src") === wanted.getAttribute("src") && frame.dataset.version === wanted.dataset.version) return true;
    for (const waiting of pane.querySelectorAll("iframe.coming")) waiting.remove();
    const shown = pane.querySelector("iframe");
    wanted.classList.add("coming");
    wanted.removeAttribute("name");
    wanted.addEventListener("load", () => {
      const place = page(shown);
      if (place && page(wanted)) page(wanted).scrollTop = place.scrollTop;
      const focused = document.activeElement === shown;
      shown.remove();
      wanted.classList.remove("coming");
      wanted.name = "mail";
      if (focused) wanted.focus({ preventScroll: true });
    }, { once: true });
    pane.append(wanted);
    return true;
  }

  /** A mail that is wider than there is room is shown smaller, whole. */
  function fit() {
    for (const pane of document.querySelectorAll(".pane")) {
      const width = Number(pane.className.match(/\bw(\d+)\b/)?.[1] ?? 0);
      pane.style.zoom = width ? Math.min(1, pane.parentElement.clientWidth / width) : "";
    }
  }

  const page = (frame) => frame.contentDocument?.scrollingElement;

  const address = (form, submitter) => {
    const chosen = new URLSearchParams();
    for (const [name, value] of new FormData(form, submitter)) if (value) chosen.set(name, value);
    const query = chosen.toString();
    return form.action.split("?")[0] + (query ? `?${query}` : "");
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!document.querySelector(".work")) return;
    event.preventDefault();
    if (form.method === "post") {
      const button = event.submitter ?? form.querySelector("button");
      button.setAttribute("aria-disabled", "true");
      if (form.dataset.busy) return;
      form.dataset.busy = "yes";
      const body = new URLSearchParams(new FormData(form));
      show(form.action, { method: "POST", body }).catch(lost).finally(() => {
        delete form.dataset.busy;
        button.removeAttribute("aria-disabled");
      });
    } else {
      show(address(form, event.submitter)).catch(lost);
    }
  });

  let pause;
  document.addEventListener("input", (event) => {
    if (event.target.id !== "find") return;
    clearTimeout(pause);
    pause = setTimeout(() => show(address(event.target.form)).catch(lost), 200);
  });

  /** A finding that is opened shows its block in the mail. */
  document.addEventListener("click", (event) => {
    const marked = event.target.closest("[data-mark]");
    const frame = marked && document.querySelector(".pane iframe:not(.coming)");
    if (frame && !(marked.tagName === "SUMMARY" && marked.parentElement.open)) {
      event.target.closest("a")?.hash && event.preventDefault();
      point(frame, marked.dataset.mark);
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => {
        status.textContent = `${copy.dataset.copy}: ${own.dataset.copied}`;
        setTimeout(() => { status.textContent = ""; }, 2000);
      });
    }
  });

  function point(frame, mark) {
    const element = frame.contentDocument?.getElementById(mark);
    if (!element) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "center", behavior: calm ? "instant" : "smooth" });
    const before = element.style.cssText;
    element.style.setProperty("outline", "3px solid #c2410c", "important");
    element.style.setProperty("outline-offset", "3px");
    setTimeout(() => { element.style.cssText = before; }, 2500);
  }

  function lost() {
    status.textContent = own.dataset.lost;
    status.classList.add("lost");
  }

  const events = new EventSource(own.dataset.events);
  let known = own.dataset.news;
  events.onmessage = (event) => {
    status.textContent = status.classList.contains("lost") ? "" : status.textContent;
    status.classList.remove("lost");
    if (event.data !== known) refresh();
    known = event.data;
  };
  events.onerror = lost;
  addEventListener("resize", fit);
  fit();
  addEventListener("pagehide", () => events.close());
})();
