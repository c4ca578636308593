// ZIP files, their members stored as they are: pictures are compressed already.

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** @param {Uint8Array} data */
function crc32(data) {
  let crc = -1;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Little-endian numbers, each with the bytes that it takes. @param {[number, 2 | 4][]} fields */
function packed(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [, size]) => sum + size, 0)));
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return view.buffer;
}

/** A ZIP file (PKWARE's APPNOTE 6.3, without ZIP64: up to 4 GiB) that grows member by member. */
export class Zip {
  constructor() {
    /** @type {BlobPart[]} */
    this.parts = [];
    /** @type {BlobPart[]} */
    this.directory = [];
    this.size = 0;
    /** @type {Set<string>} */
    this.names = new Set();
  }

  /** Add a member; a name that is there already gets a number. @param {string} name @param {Blob} content */
  async add(name, content) {
    const bytes = new TextEncoder().encode(this.#free(name));
    const now = new Date();
    const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
    const day = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
    const crc = crc32(new Uint8Array(await content.arrayBuffer()));
    /** @type {[number, 2 | 4][]} */
    const shared = [[20, 2], [0x800, 2], [0, 2], [time, 2], [day, 2], [crc, 4], [content.size, 4], [content.size, 4], [bytes.length, 2], [0, 2]];
    const head = packed([[0x04034b50, 4], ...shared]);
    const entry = packed([[0x02014b50, 4], [20, 2], ...shared, [0, 2], [0, 2], [0, 2], [0, 4], [this.size, 4]]);
    this.parts.push(head, bytes, content);
    this.directory.push(entry, bytes);
    this.size += head.byteLength + bytes.length + content.size;
  }

  /** The whole file. */
  blob() {
    const [count, size] = [this.names.size, new Blob(this.directory).size];
    const end = packed([[0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [this.size, 4], [0, 2]]);
    return new Blob([...this.parts, ...this.directory, end], { type: "application/zip" });
  }

  /** @param {string} name */
  #free(name) {
    const [, stem, suffix] = /** @type {RegExpMatchArray} */ (name.match(/^(.*?)((?:\.[^.]*)*)$/));
    let free = name;
    for (let number = 2; this.names.has(free.toLowerCase()); number++) free = `${stem} (${number})${suffix}`;
    this.names.add(free.toLowerCase()); // most computers take A.jpg and a.jpg for one
    return free;
  }
}
