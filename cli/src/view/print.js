// On paper: the steps that are shown, as a table to be read.

function preparePrint(element) {
  const rows = shown.map((number) => {
    const step = steps[number];
    const effects = step.shown.map((effect) => make("div", { className: "mono" }, `→ ${LANE_NAMES[effect.lane]}: ${effect.text}`));
    return make(
      "tr",
      { lane: step.lane },
      make("td", {}, String(number + 1)),
      make("td", {}, moment(step.at)),
      make("td", {}, LANE_NAMES[step.lane]),
      make("td", {}, make("div", { className: "mono" }, step.text), ...effects),
      make("td", {}, (step.rules ?? []).join(" ")),
    );
  });
  const head = [["Step", "6%"], ["Time, s", "9%"], ["From", "9%"], ["Event and effects", "64%"], ["Rules", "12%"]].map(([title, width]) => {
    const cell = make("th", { scope: "col" }, title);
    cell.style.width = width;
    return cell;
  });
  element.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
}
