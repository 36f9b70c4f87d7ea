"use strict";
// For each volume and Region: the newest point to restore from, and the newest before a chosen time.
const recoverable = ({ $, element, code, time, span, now }) => {
  const PAGE = 20, FILLER = /^(|vol-f+)$/;
  let page = 0, places = [];

  const chosen = () => {
    const parsed = Date.parse(`${$("before").value}Z`);
    return Number.isNaN(parsed) ? null : parsed / 1000;
  };
  const gather = (shown, before) => {
    const found = new Map();
    for (const row of shown) {
      if (row.copy === null || FILLER.test(row.source.volume) || row.source.started === null) continue;
      const name = `${row.source.account} ${row.source.volume} ${row.region}`;
      const place = found.get(name) ?? { source: row.source, region: row.region, newest: null, before: null };
      const is_newer = (other) => other === null || row.source.started > other.source.started;
      if (row.copy.point) {
        if (is_newer(place.newest)) place.newest = row;
        if (before !== null && row.source.started < before && is_newer(place.before)) place.before = row;
      }
      found.set(name, place);
    }
    // What cannot be restored first, then what was last saved longest ago.
    const saved = (place) => (before === null ? place.newest : place.before)?.source.started ?? -1;
    return [...found.values()].sort((a, b) => saved(a) - saved(b) || (a.source.volume < b.source.volume ? -1 : 1));
  };

  const proof = (point) => (point.copy.proof ? `${point.copy.proof[0]} ${time(point.copy.proof[1])}` : "metadata");
  const cells = (point) => {
    if (point === null) return [element("td", "no point", { class: "missing", colspan: "3" })];
    return [code(point.copy.id), element("td", time(point.source.started)), element("td", proof(point))];
  };
  const draw_page = () => {
    const before = chosen(), pages = Math.max(1, Math.ceil(places.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const body = document.createDocumentFragment();
    for (const place of places.slice(page * PAGE, (page + 1) * PAGE)) {
      const line = element("tr"), { newest } = place;
      line.append(code(place.source.volume), element("td", place.source.account), element("td", place.region), ...cells(newest));
      line.append(element("td", newest === null ? "" : span(Math.max(0, now - newest.source.started)), { class: "n" }));
      if (before !== null) line.append(...cells(place.before));
      body.append(line);
    }
    for (const cell of document.querySelectorAll("#points .before")) cell.hidden = before === null;
    $("points").tBodies[0].replaceChildren(body);
    const without = places.filter((place) => (before === null ? place.newest : place.before) === null).length;
    const when = before === null ? "" : ` before ${time(before)}`;
    $("points-at").textContent = places.length === 0 ? "No row matches." : `Page ${page + 1} of ${pages}; ${without} of ${places.length} have no point${when}`;
    $("points-back").disabled = page === 0;
    $("points-on").disabled = page >= pages - 1;
  };
  $("points-back").addEventListener("click", () => { page -= 1; draw_page(); });
  $("points-on").addEventListener("click", () => { page += 1; draw_page(); });

  return (shown) => {
    page = 0;
    places = gather(shown, chosen());
    draw_page();
  };
};
