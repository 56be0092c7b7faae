import { FieldScanner } from "./field-scanner.js";
import { type LineParser, lineReader, NOT_USUAL, utf8 } from "./line-format.js";
import { address, hexadecimal } from "./numbers.js";
import type { Requests } from "./requests.js";

const PLUS = 0x2b;
const MINUS = 0x2d;
const SPACE = 0x20;

/** Callers that a site names; deeper ones are left out. */
const MAX_DEPTH = 32;

/** Blocks of one size and call stack, which the interpreted form does not tell apart. */
interface BlockClass {
  readonly size: number;
  readonly site: number;
  /** Ordinals of its live blocks, the youngest last. */
  readonly live: number[];
}

/** A node of the call tree: the caller of `parent`. */
interface Frame {
  readonly name: string;
  readonly parent: number;
}

class HeaptrackParser implements LineParser {
  private readonly requests: Requests;
  private readonly fields = new FieldScanner();
  private readonly strings = [""];
  private readonly functions = [""];
  private readonly frames: Frame[] = [{ name: "", parent: 0 }];
  private readonly sites = new Map<number, number>();
  private readonly classes: BlockClass[] = [];
  private interpreted = false;
  private born = 0;

  constructor(requests: Requests) {
    this.requests = requests;
  }

  line(text: string): void {
    const fields = text.split(" ");
    const [tag = "", first = "", second = "", third = ""] = fields;
    if (tag === "+" && fields.length >= 4) this.allocate(text, hexadecimal(first), hexadecimal(second), address(third));
    else if (tag === "+") this.allocateOf(text, hexadecimal(first));
    else if (tag === "-") this.free(text, first);
    else if (tag === "a") this.declare(text, hexadecimal(first), hexadecimal(second));
    else if (tag === "s") this.strings.push(this.string(text));
    else if (tag === "i") this.functions.push(this.functionOf(first, third));
    else if (tag === "t") this.call(first, hexadecimal(second));
    else if (tag === "A")
      this.requests.note("heaptrack was attached to a running program: blocks from before are unknown");
    else if (tag !== "" && !/^(?:[vxXImcRSe#]|\/\/.*)$/.test(tag))
      this.requests.reject(text, 'a record of heaptrack, such as "+ 18 8 4181d0"');
  }

  /** `+ SIZE TRACE ADDRESS` and `- ADDRESS` of the raw form. */
  usual(bytes: Uint8Array, start: number): number {
    const { fields, requests } = this;
    fields.bytes = bytes;
    fields.at = start;
    if (fields.skip(MINUS)) {
      const at = fields.skip(SPACE) ? fields.hexadecimal() : NOT_USUAL;
      if (this.interpreted || at < 0 || !fields.endLine()) return NOT_USUAL;
      requests.free(at);
      return fields.at;
    }
    if (!fields.skip(PLUS) || !fields.skip(SPACE)) return NOT_USUAL;
    const size = fields.hexadecimal();
    const trace = fields.skip(SPACE) ? fields.hexadecimal() : NOT_USUAL;
    const at = fields.skip(SPACE) ? fields.hexadecimal() : NOT_USUAL;
    if (size < 0 || trace < 0 || at < 0 || !fields.endLine()) return NOT_USUAL;
    requests.allocate(at, size, 0, this.siteOf(trace));
    return fields.at;
  }

  private allocate(text: string, size: number, trace: number, at: number): void {
    if (Number.isNaN(size + trace + at)) this.requests.reject(text, '"+ SIZE TRACE ADDRESS" in hexadecimal');
    else this.requests.allocate(at, size, 0, this.siteOf(trace));
  }

  private allocateOf(text: string, index: number): void {
    const blocks = this.classes[index];
    if (blocks === undefined) this.requests.reject(text, 'the number of a class that an "a" line declares');
    else {
      blocks.live.push(++this.born);
      this.requests.allocate(this.born, blocks.size, 0, blocks.site);
    }
  }

  private free(text: string, operand: string): void {
    if (!this.interpreted) {
      const at = address(operand);
      if (Number.isNaN(at)) this.requests.reject(text, '"- ADDRESS" in hexadecimal');
      else this.requests.free(at);
      return;
    }
    const blocks = this.classes[hexadecimal(operand)];
    if (blocks === undefined) {
      this.requests.reject(text, 'the number of a class that an "a" line declares');
      return;
    }
    if (blocks.live.length > 1) this.requests.assumed.add("pairedInClass", this.requests.position);
    const block = blocks.live.pop();
    if (block === undefined) this.requests.drop("unknownFree");
    else this.requests.free(block);
  }

  private declare(text: string, size: number, trace: number): void {
    this.interpreted = true;
    if (Number.isNaN(size)) this.requests.reject(text, '"a SIZE TRACE" in hexadecimal');
    else this.classes.push({ size, site: this.siteOf(trace), live: [] });
  }

  /** "s LENGTH TEXT" since format 2, "s TEXT" before. */
  private string(text: string): string {
    return utf8(/^s [0-9a-f]+ (.*)$/.exec(text)?.[1] ?? text.slice(2));
  }

  /** "i ADDRESS MODULE FUNCTION ...": the indices count the strings from 1. */
  private functionOf(pointer: string, name: string): string {
    return this.strings[hexadecimal(name)] || `0x${pointer}`;
  }

  /** "t IP PARENT": in the interpreted form IP counts the "i" lines from 1, in the raw form it is an address. */
  private call(pointer: string, parent: number): void {
    const name = this.functions.length > 1 ? (this.functions[hexadecimal(pointer)] ?? `0x${pointer}`) : `0x${pointer}`;
    this.frames.push({ name, parent: Number.isNaN(parent) ? 0 : parent });
  }

  private siteOf(trace: number): number {
    let site = this.sites.get(trace);
    if (site === undefined) {
      const names: string[] = [];
      let frame = this.frames[trace];
      for (let depth = 0; depth < MAX_DEPTH && frame !== undefined && frame.name !== ""; depth++) {
        names.push(frame.name.replaceAll(";", ","));
        frame = this.frames[frame.parent];
      }
      site = names.length === 0 ? 0 : this.requests.site(names.reverse().join(";"));
      this.sites.set(trace, site);
    }
    return site;
  }
}

/**
 * heaptrack's data, raw (`heaptrack --raw`, exact) or interpreted. The interpreted form says only from which class (size and
 * call stack) a block is freed; it is taken to be the youngest, so that single lifetimes are not exact. A reallocation is a
 * free and an allocation. The call stack is the site.
 */
export const heaptrack = lineReader({
  name: "heaptrack",
  title: "heaptrack, raw or interpreted",
  source: "heaptrack 1.4, file format 3 (src/track/libheaptrack.cpp, src/interpret)",
  sign: /^v [0-9a-f]+ [1-9][0-9a-f]*$/,
  parse: (requests) => new HeaptrackParser(requests),
});
