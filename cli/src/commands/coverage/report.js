// What others wrote is put into text nodes only, never into markup.
(() => {
  const PAGE = 100, DAYS = 21, VOLUMES = 20, DAY = 86400;
  const STATES = ["failed", "missing", "missed", "in-flight", "protected"];
  const OTHERS = ["owed", "history"];
  const MARKS = { failed: "\u2715", missing: "\u2013", missed: "!", owed: "\u2026", "in-flight": "\u2026", protected: "\u2713", history: "\u25cb" };
  const SVG = "http://www.w3.org/2000/svg";
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  $("data").textContent = "";

  const sources = data.sources.map(([id, account, volume, started, gib, description]) => ({
    id, account: data.accounts[account], volume: data.volumes[volume], started, gib, description: description ?? "", text: null,
  }));
  const rows = data.rows.map(([[source, policy, region, state, shared, home], copy, ledger]) => ({
    source: sources[source], policy: data.policies[policy], region: data.regions[region], home: data.homes[home], state, shared: shared === 1,
    copy: copy && { id: copy[0], started: copy[1], settled: copy[2], expires: copy[3], lock: copy[4], mode: copy[5],
      until: copy[6], key: data.keys[copy[7]] ?? "", count: copy[8], edited: copy[9] === 1, keyLost: copy[10] === 1, point: copy[11] === 1, proof: copy[12] },
    wanted: ledger && ledger[0], owed: ledger && ledger[1] && { state: ledger[1][0], until: ledger[1][1], refused: ledger[1][2], failed: ledger[1][3] },
  }));
  // What is no longer shared is history when it is still protected, and otherwise shown as it stands.
  const is_finding = (row) => row.state === "missed" || (row.shared && (row.state === "failed" || row.state === "missing"));
  const kind = (row) => (!row.shared && row.state === "protected" ? "history" : row.state);

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const drawn = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const time = (s) => (s === null || s === undefined ? "" : new Date(s * 1000).toISOString().slice(0, 16).replace("T", " "));
  const day = (s) => new Date(s * 1000).toISOString().slice(0, 10);
  const span = (s) => {
    if (s === null || s < 0) return "";
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < DAY) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
    return s < 14 * DAY ? `${Math.floor(s / DAY)} d ${Math.floor((s % DAY) / 3600)} h` : `${Math.floor(s / DAY)} d`;
  };

  // From when the copy was wanted; where that is not known, or the copy was wanted anew after its verdict, from the source's start.
  const to_protect = (row) => {
    if (row.state !== "protected" || row.copy.settled === null) return null;
    const since = row.wanted !== null && row.wanted <= row.copy.settled ? row.wanted : row.source.started;
    return since === null ? null : row.copy.settled - since;
  };
  const owed = (row) => {
    if (!row.owed) return "";
    const { state, until, refused, failed } = row.owed;
    return [`since ${time(row.wanted)} ${state}`, until && `until ${time(until)}`, refused && `refused ${refused}`, failed && `failed ${failed}`].filter(Boolean).join(", ");
  };

  // ---- filters

  const chosen = { state: $("f-state"), home: $("f-home"), region: $("f-region"), account: $("f-account"), policy: $("f-policy") };
  const offer = (select, all, values) => {
    select.append(element("option", all, { value: "" }));
    for (const value of values) select.append(element("option", value, { value }));
  };
  const distinct = (values) => [...new Set(values)].filter((value) => value !== "").sort();
  offer(chosen.state, "All states", [...STATES, ...OTHERS]);
  chosen.state.insertBefore(element("option", "findings", { value: "findings" }), chosen.state.children[1]);
  offer(chosen.home, "All homes", distinct(data.homes));
  offer(chosen.region, "All Regions", distinct(data.regions));
  offer(chosen.account, "All accounts", distinct(data.accounts));
  offer(chosen.policy, "All policies", distinct(data.policies));

  let shown = rows;
  const words = (source) => (source.text ??= `${source.id} ${source.volume} ${source.account} ${source.description} ${source.started === null ? "" : day(source.started)}`.toLowerCase());
  const filter = () => {
    const { state, home, region, account, policy } = Object.fromEntries(Object.entries(chosen).map(([k, s]) => [k, s.value]));
    const wanted = $("q").value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    shown = rows.filter((row) => {
      if (home && row.home !== home) return false;
      if (region && row.region !== region) return false;
      if (policy && row.policy !== policy) return false;
      if (account && row.source.account !== account) return false;
      if (state === "findings" ? !is_finding(row) : state && kind(row) !== state) return false;
      return wanted.every((word) => words(row.source).includes(word) || (row.copy !== null && row.copy.id.includes(word)));
    });
  };

  // ---- the table of rows

  let page = 0;
  const columns = [
    ["State", (row) => {
      const cell = element("td");
      cell.append(element("span", row.copy && row.copy.keyLost && row.state !== "missed" ? "key lost" : kind(row), { class: `state ${kind(row)}` }));
      if (!row.shared && ["failed", "missing", "in-flight"].includes(row.state)) cell.append(" no longer shared");
      return cell;
    }],
    ["Snapshot", (row) => code(row.source.id)],
    [$("points").tHead.rows[0].cells[0].textContent, (row) => code(row.source.volume)],
    ["Account", (row) => element("td", row.source.account)],
    ["Started", (row) => element("td", time(row.source.started))],
    ["Policy", (row) => element("td", row.policy)],
    ["Home", (row) => element("td", row.home)],
    ["Region", (row) => element("td", row.region)],
    ["Copy", (row) => code(row.copy ? row.copy.id + (row.copy.count > 1 ? ` (of ${row.copy.count})` : "") : "")],
    ["Owed", (row) => element("td", owed(row))],
    ["To protect", (row) => { const took = to_protect(row); return element("td", took === null ? "" : span(took), { class: "n" }); }],
    ["Expires", (row) => element("td", row.copy ? time(row.copy.expires) || "never" : "")],
    ["Lock", (row) => element("td", row.copy ? [row.copy.mode ?? row.copy.lock ?? "", row.copy.until ? `until ${day(row.copy.until)}` : ""].join(" ").trim() : "")],
    ["Key", (row) => code(row.copy ? row.copy.key.split("/").pop() : "", row.copy ? row.copy.key : "")],
    ["GiB", (row) => element("td", row.source.gib, { class: "n" })],
    ["Description", (row) => element("td", row.source.description + (row.copy && row.copy.edited ? " [tags edited]" : ""), { class: "text" })],
  ];
  const code = (text, title) => {
    const cell = element("td");
    if (text) cell.append(element("code", text, title ? { title } : {}));
    return cell;
  };
  for (const [name] of columns) $("rows").tHead.rows[0].append(element("th", name, { scope: "col" }));

  const draw_rows = () => {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const body = document.createDocumentFragment();
    for (const row of shown.slice(page * PAGE, (page + 1) * PAGE)) {
      const line = element("tr");
      for (const [, cell] of columns) line.append(cell(row));
      body.append(line);
    }
    $("rows").tBodies[0].replaceChildren(body);
    $("rows-at").textContent = shown.length === 0 ? "No row matches." : `Page ${page + 1} of ${pages}`;
    $("first").disabled = $("back").disabled = page === 0;
    $("on").disabled = $("last").disabled = page >= pages - 1;
  };
  const turn = (id, to) => $(id).addEventListener("click", () => { page = to(); draw_rows(); });
  turn("first", () => 0);
  turn("back", () => page - 1);
  turn("on", () => page + 1);
  turn("last", () => Infinity);

  // ---- the matrix

  let last_day = 0, volume_page = 0;
  const newest = () => Math.floor(shown.reduce((most, row) => Math.max(most, row.source.started ?? 0), 0) / DAY);
  const oldest = () => Math.floor(shown.reduce((least, row) => Math.min(least, row.source.started ?? Infinity), Infinity) / DAY);
  const worst = (cells) => [...STATES, ...OTHERS].find((state) => cells[state] > 0);
  const draw_matrix = () => {
    const volumes = new Map();
    const end = newest() - last_day, start = end - DAYS + 1;
    for (const row of shown) {
      if (row.source.started === null) continue;
      const at = Math.floor(row.source.started / DAY);
      const known = volumes.get(row.source.volume) ?? { rank: STATES.length + 1, days: new Map() };
      known.rank = Math.min(known.rank, row.shared || row.state === "missed" ? STATES.indexOf(row.state) : STATES.length);
      if (at >= start && at <= end) {
        const cell = known.days.get(at) ?? {};
        cell[kind(row)] = (cell[kind(row)] ?? 0) + 1;
        known.days.set(at, cell);
      }
      volumes.set(row.source.volume, known);
    }
    const order = [...volumes].sort(([a, x], [b, y]) => x.rank - y.rank || (a < b ? -1 : 1));
    const pages = Math.max(1, Math.ceil(order.length / VOLUMES));
    volume_page = Math.min(Math.max(volume_page, 0), pages - 1);
    const head = element("thead"), top = element("tr"), body = element("tbody");
    top.append(element("th", "Volume", { scope: "col" }));
    for (let at = start; at <= end; at += 1) {
      const [, month, date] = day(at * DAY).split("-");
      top.append(element("th", `${month}-${date}`, { scope: "col" }));
    }
    head.append(top);
    for (const [volume, { days }] of order.slice(volume_page * VOLUMES, (volume_page + 1) * VOLUMES)) {
      const line = element("tr"), name = element("th", undefined, { scope: "row" });
      const button = element("button", volume, { type: "button", title: `Show only ${volume}` });
      button.addEventListener("click", () => { $("q").value = volume; changed(); $("q").focus(); });
      name.append(button);
      line.append(name);
      for (let at = start; at <= end; at += 1) {
        const cells = days.get(at);
        if (!cells) { line.append(element("td")); continue; }
        const state = worst(cells);
        const words = [...STATES, ...OTHERS].filter((each) => cells[each]).map((each) => `${cells[each]} ${each}`).join(", ");
        const cell = element("td", undefined, { class: state, title: `${day(at * DAY)}: ${words}` });
        cell.append(element("span", MARKS[state], { role: "img", "aria-label": words }));
        line.append(cell);
      }
      body.append(line);
    }
    $("matrix").replaceChildren(head, body);
    const days = shown.length === 0 ? "" : `${day(start * DAY)} to ${day(end * DAY)}, `;
    $("matrix-at").textContent = `${days}${$("points").dataset.all} ${order.length === 0 ? 0 : volume_page * VOLUMES + 1} to ${Math.min(order.length, (volume_page + 1) * VOLUMES)} of ${order.length}, those with findings first`;
    $("days-on").disabled = last_day === 0;
    $("days-back").disabled = shown.length === 0 || start <= oldest();
    $("vols-back").disabled = volume_page === 0;
    $("vols-on").disabled = volume_page >= pages - 1;
  };
  const leaf = (id, move) => $(id).addEventListener("click", () => { move(); draw_matrix(); });
  leaf("days-back", () => { last_day += DAYS; });
  leaf("days-on", () => { last_day = Math.max(0, last_day - DAYS); });
  leaf("vols-back", () => { volume_page -= 1; });
  leaf("vols-on", () => { volume_page += 1; });

  // ---- the charts

  const chart = (id, label, width, height, parts) => {
    const picture = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    picture.append(...parts);
    $(id).replaceChildren(picture);
  };
  const nothing = (id, text) => $(id).replaceChildren(element("p", text, { class: "none" }));
  const EDGES = [["under 15 min", 900], ["15 to 30 min", 1800], ["30 to 60 min", 3600], ["1 to 4 h", 14400], ["4 to 12 h", 43200], ["12 to 24 h", DAY], ["over a day", Infinity]];
  const draw_times = () => {
    const times = [];
    for (const row of shown) {
      const took = to_protect(row);
      if (took !== null) times.push(took);
    }
    if (times.length === 0) { nothing("ttp", "No protected snapshot is among these rows."); return; }
    times.sort((a, b) => a - b);
    const counts = EDGES.map(() => 0);
    for (const each of times) counts[EDGES.findIndex(([, edge]) => each < edge)] += 1;
    const most = Math.max(...counts), parts = [];
    EDGES.forEach(([name], at) => {
      const y = at * 26, share = counts[at] / most;
      parts.push(drawn("text", { x: 104, y: y + 16, "text-anchor": "end" }, name));
      parts.push(drawn("rect", { x: 112, y: y + 3, width: 300, height: 18, rx: 3, class: "track" }));
      if (counts[at] > 0) parts.push(drawn("rect", { x: 112, y: y + 3, width: Math.max(3, 300 * share), height: 18, rx: 3, class: at === 6 ? "late" : "" }));
      parts.push(drawn("text", { x: 420, y: y + 16 }, String(counts[at])));
    });
    const quantile = (q) => span(times[Math.min(times.length - 1, Math.floor(q * times.length))]);
    const label = `median ${quantile(0.5)}, 95 of 100 within ${quantile(0.95)}, longest ${span(times[times.length - 1])}`;
    parts.push(drawn("text", { x: 0, y: 26 * 7 + 18, class: "soft" }, label));
    const described = EDGES.map(([name], at) => `${name}: ${counts[at]}`).join(", ");
    chart("ttp", `Time to protect: ${label}; ${described}`, 480, 26 * 7 + 26, parts);
  };

  const draw_expiries = () => {
    const due = [];
    let never = 0, overdue = 0;
    for (const row of shown) {
      if (row.state !== "protected") continue;
      if (row.copy.expires === null) never += 1;
      else if (row.copy.expires <= data.now) overdue += 1;
      else due.push(row.copy.expires);
    }
    const rest = `${overdue} due now, ${never} never`;
    if (due.length === 0) { nothing("exp", `No copy among these rows expires later; ${rest}.`); return; }
    const far = due.reduce((most, at) => Math.max(most, at), 0) - data.now;
    const [step, unit] = [[DAY, "day"], [7 * DAY, "week"], [30 * DAY, "30 days"], [365 * DAY, "year"], [3650 * DAY, "ten years"]].find(([s]) => far / s <= 53) ?? [36500 * DAY, "century"];
    const counts = Array.from({ length: Math.floor(far / step) + 1 }, () => 0);
    for (const at of due) counts[Math.floor((at - data.now) / step)] += 1;
    const most = Math.max(...counts), width = 440 / Math.max(counts.length, 7), parts = [];
    counts.forEach((count, at) => {
      if (count === 0) return;
      const height = Math.max(2, (130 * count) / most);
      const bar = drawn("rect", { x: 36 + at * width, y: 145 - height, width: Math.max(1, width - 1.5), height, rx: 1.5 });
      bar.append(drawn("title", {}, `${day(data.now + at * step)}: ${count}`));
      parts.push(bar);
    });
    parts.push(drawn("rect", { x: 36, y: 145, width: 440, height: 1, class: "track" }));
    parts.push(drawn("text", { x: 30, y: 24, "text-anchor": "end", class: "soft" }, String(most)), drawn("text", { x: 30, y: 146, "text-anchor": "end", class: "soft" }, "0"));
    parts.push(drawn("text", { x: 36, y: 163, class: "soft" }, day(data.now)));
    parts.push(drawn("text", { x: 476, y: 163, "text-anchor": "end", class: "soft" }, day(data.now + Math.max(counts.length, 7) * step)));
    parts.push(drawn("text", { x: 36, y: 188, class: "soft" }, `copies that expire in each ${unit}; ${rest}`));
    chart("exp", `Expiry timeline: ${due.length} copies expire until ${day(data.now + far)}; ${rest}`, 480, 196, parts);
  };

  // ---- all together

  const draw_points = recoverable({ $, element, code, time, span, now: data.now });
  const draw = () => {
    filter();
    $("count").textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
    draw_rows();
    draw_matrix();
    draw_points(shown);
    draw_times();
    draw_expiries();
    document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
  };
  let waiting = false;
  const changed = () => {
    page = 0;
    volume_page = 0;
    last_day = 0;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };
  $("filters").addEventListener("input", changed);
  $("before").addEventListener("input", changed);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("reset", () => setTimeout(changed));
  $("app").hidden = false;
  draw();
})();
