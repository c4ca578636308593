// Names of colors: the nearest in Lab of a list of common ones.

import { parseHex, toLab } from "./color.js";

const COMMON = `black #101010, charcoal #333333, dark gray #555555, gray #808080, light gray #b4b4b4, white #f4f4f4,
  ivory #f3ead3, cream #efe0b5, beige #d8c4a0, sand #cdb38b, straw #d9c27a, tan #b8935a, khaki #8f8560, taupe #7f7365,
  pale skin #e8c4a8, skin #d9a883, tanned skin #b98460, brown skin #8a5a3c, dark skin #5c3a28,
  brown #8b6544, chestnut #7b4a2e, chocolate #4e3024, walnut #5f4632, reddish brown #7a3e2c, dark brown #3c2a20,
  caramel #a9703a, grayish brown #6d5c4f, rust #b0522a, terracotta #c4704f, brick red #9c3b2e, red #c0302b,
  scarlet #d83a2b, wine red #7a2e3a, maroon #5c2028, dark red #8c2323, rose #d49aa0, old rose #b5757a, pink #e6a5b0,
  hot pink #d65c8b, salmon #e58f75, coral #e0705a, peach #f0bf9a, apricot #eaa56b, orange #e08a2e, burnt orange #c2641f,
  amber #d9982c, ochre #b98a35, mustard #b79a30, gold #c9a24b, yellow #e8cf3a, lemon yellow #f0e36a,
  pale yellow #efe6a8, olive #7a7a35, olive green #6a7340, yellow green #a5b845, moss green #6f7d4a,
  grass green #6f8f4a, leaf green #4f7442, green #3f8a45, dark green #2c5234, bottle green #1f4034, sage #98a585,
  pale green #b5ceab, mint #a0d8bd, emerald #2f9a6c, sea green #4f9281, teal #2f7f80, turquoise #45b5b5,
  pale turquoise #a9d8d8, petrol #2a5a66, ice blue #cfe2ea, sky blue #8fb4d9, light blue #a9c6e0, steel blue #5f83a3,
  grayish blue #7f94a6, slate #56636f, blue #3f6fb5, royal blue #3550a8, denim #4f6e95, navy #2a3a66,
  midnight blue #1f2740, cornflower blue #6f8fd6, lavender #b4a8d3, lilac #c3a0c8, violet #7a5fa6, indigo #45387a,
  purple #7b3f86, plum #6a3a58, mauve #a3859b, aubergine #3f2838, magenta #b0408f`
  .split(",")
  .map((entry) => /** @type {RegExpMatchArray} */ (entry.trim().match(/^(.*) (#\w{6})$/)))
  .map(([, name, hex]) => ({ name, lab: toLab(parseHex(hex) ?? [0, 0, 0]) }));

const LIGHTNESS = 0.6; // how much a step of L* counts beside one of a* or b*

/** Names, nearest first. @param {string} hex */
function ranked(hex) {
  const [l, a, b] = toLab(parseHex(hex) ?? [128, 128, 128]);
  const far = (/** @type {import("./color.js").Triple} */ lab) => Math.hypot(LIGHTNESS * (lab[0] - l), lab[1] - a, lab[2] - b);
  return COMMON.map(({ name, lab }) => ({ name, distance: far(lab) })).sort((one, other) => one.distance - other.distance);
}

/** The name of a color. @param {string} hex */
export const nameOf = (hex) => ranked(hex)[0].name;

/** Names that tell colors shown together apart, each as near as the ones before it leave. @param {readonly string[]} colors */
export function namesOf(colors) {
  /** @type {Set<string>} */
  const taken = new Set();
  return colors.map((color) => {
    const name = ranked(color).find((one) => !taken.has(one.name))?.name ?? nameOf(color);
    taken.add(name);
    return name;
  });
}
