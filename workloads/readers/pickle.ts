/** A reader of Python pickles that hold plain data: nothing is imported, called or executed. */

/** Plain data: null, boolean, number, string, bigint, array (list and tuple) or object (dict with text keys). */
export type Plain = null | boolean | number | string | bigint | Plain[] | { [key: string]: Plain };

/** Where a pickle is not plain data, or not whole. */
export class PickleFault extends Error {
  readonly offset: number;
  readonly expected: string;

  constructor(offset: number, got: string, expected: string) {
    super(got);
    this.offset = offset;
    this.expected = expected;
  }
}

/** Opcodes of protocols 0 to 5 that could call or import something, by byte. */
const calling: Readonly<Record<number, string>> = {
  99: "GLOBAL",
  147: "STACK_GLOBAL",
  82: "REDUCE",
  98: "BUILD",
  105: "INST",
  111: "OBJ",
  129: "NEWOBJ",
  146: "NEWOBJ_EX",
  130: "EXT1",
  131: "EXT2",
  132: "EXT4",
  80: "PERSID",
  81: "BINPERSID",
};

const MARK = Symbol("mark");
type Item = Plain | typeof MARK;

/** Opcodes by their byte, see Python's Lib/pickletools.py. */
class Unpickler {
  private readonly data: Buffer;
  private readonly stack: Item[] = [];
  private readonly memo = new Map<number, Plain>();
  private at = 0;
  private opcodeAt = 0;

  constructor(data: Buffer) {
    this.data = data;
  }

  run(): Plain {
    for (;;) {
      this.opcodeAt = this.at;
      const code = this.unsigned(1);
      if (code === 0x2e) return this.pop();
      if (!this.scalar(code) && !this.container(code) && !this.memory(code)) throw this.unknown(code);
    }
  }

  private scalar(code: number): boolean {
    const { stack } = this;
    if (code === 0x4e) stack.push(null);
    else if (code === 0x88) stack.push(true);
    else if (code === 0x89) stack.push(false);
    else if (code === 0x4b) stack.push(this.unsigned(1));
    else if (code === 0x4d) stack.push(this.unsigned(2));
    else if (code === 0x4a) stack.push(this.data.readInt32LE(this.take(4)));
    else if (code === 0x8a) stack.push(this.long(this.unsigned(1)));
    else if (code === 0x47) stack.push(this.data.readDoubleBE(this.take(8)));
    else if (code === 0x8c) stack.push(this.text(this.unsigned(1)));
    else if (code === 0x58) stack.push(this.text(this.unsigned(4)));
    else if (code === 0x8d) stack.push(this.text(this.unsigned(8)));
    else return false;
    return true;
  }

  private container(code: number): boolean {
    const { stack } = this;
    if (code === 0x28) stack.push(MARK);
    else if (code === 0x5d || code === 0x29) stack.push([]);
    else if (code === 0x7d) stack.push({});
    else if (code === 0x61) this.append([this.pop()]);
    else if (code === 0x65) this.append(this.popToMark());
    else if (code === 0x73) this.setItems([this.pop(), this.pop()].reverse());
    else if (code === 0x75) this.setItems(this.popToMark());
    else if (code >= 0x85 && code <= 0x87) stack.push(Array.from({ length: code - 0x84 }, () => this.pop()).reverse());
    else if (code === 0x74 || code === 0x6c) stack.push(this.popToMark());
    else return false;
    return true;
  }

  private memory(code: number): boolean {
    if (code === 0x80) this.take(1);
    else if (code === 0x95) this.take(8);
    else if (code === 0x94) this.memo.set(this.memo.size, this.top());
    else if (code === 0x71) this.memo.set(this.unsigned(1), this.top());
    else if (code === 0x72) this.memo.set(this.unsigned(4), this.top());
    else if (code === 0x68) this.stack.push(this.known(this.unsigned(1)));
    else if (code === 0x6a) this.stack.push(this.known(this.unsigned(4)));
    else if (code === 0x30) this.pop();
    else return false;
    return true;
  }

  private append(items: Plain[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.fault("items for something else than a list", "a list below them");
    for (const item of items) list.push(item);
  }

  private setItems(items: Plain[]): void {
    const dict = this.top();
    if (typeof dict !== "object" || dict === null || Array.isArray(dict) || items.length % 2 !== 0)
      throw this.fault("items for something else than a dict", "a dict below pairs of key and value");
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      const name = typeof key === "string" ? key : typeof key === "number" ? String(key) : undefined;
      if (name === undefined) throw this.fault("a key that is no text", "a dict with text or numbers as keys");
      if (name !== "__proto__") dict[name] = items[i + 1] ?? null;
    }
  }

  private pop(): Plain {
    const item = this.stack.pop();
    if (item === undefined || item === MARK) throw this.fault("an opcode without its operand", "a value on the stack");
    return item;
  }

  private top(): Plain {
    const item = this.stack.at(-1);
    if (item === undefined || item === MARK) throw this.fault("an opcode without its operand", "a value on the stack");
    return item;
  }

  private popToMark(): Plain[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw this.fault("an opcode without its mark", "a mark on the stack");
    const items = this.stack.splice(mark);
    items.shift();
    return items as Plain[];
  }

  private known(index: number): Plain {
    const value = this.memo.get(index);
    if (value === undefined) throw this.fault(`memo ${index}, which is empty`, "an entry that was set before");
    return value;
  }

  private text(length: number): string {
    const start = this.take(length);
    return this.data.toString("utf8", start, start + length);
  }

  /** Little-endian two's complement; a number where it is exact. */
  private long(length: number): number | bigint {
    const start = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.data[start + i] ?? 0);
    if (length > 0) value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  private unsigned(length: number): number {
    const start = this.take(length);
    if (length <= 4) return this.data.readUIntLE(start, length);
    return this.data.readUInt32LE(start + 4) * 4294967296 + this.data.readUInt32LE(start);
  }

  /** The place of the next bytes, which it moves past. */
  private take(length: number): number {
    const start = this.at;
    if (length > this.data.length - start)
      throw this.fault("the end of the file", "the rest of the pickle: the file is cut short");
    this.at += length;
    return start;
  }

  private unknown(code: number): PickleFault {
    const name = calling[code];
    if (name === undefined) return this.fault(`opcode 0x${code.toString(16)}`, "an opcode of plain data");
    return this.fault(`opcode ${name}, which would run code`, "plain data only: nothing in a pickle is executed");
  }

  private fault(got: string, expected: string): PickleFault {
    return new PickleFault(this.opcodeAt, got, expected);
  }
}

/** The value of a pickle. Throws a `PickleFault` for anything but whole, plain data. */
export function unpickle(data: Buffer): Plain {
  return new Unpickler(data).run();
}
