import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import { writeTogether } from "./write-together.js";

const folder = mkdtempSync(join(tmpdir(), "fraglab-together-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("files are written all, or none where the last cannot be: new ones are gone, old ones as they were", () => {
  const change = (file: string, old?: string) => ({ file, path: join(folder, file), text: "new\n", old });
  writeFileSync(join(folder, "old.txt"), "old\n");
  mkdirSync(join(folder, "folder.txt"));
  const changes = [change("new.txt"), change("old.txt", "old\n")];
  const last = change("folder.txt");
  expect(() => writeTogether([...changes, last])).toThrow(InputError);
  expect(() => writeTogether([...changes, last])).toThrow(
    /^cannot write .*folder\.txt: it is a folder.*; nothing was changed$/,
  );
  expect(readdirSync(folder)).toEqual(["folder.txt", "old.txt"]);
  expect(readFileSync(join(folder, "old.txt"), "utf8")).toBe("old\n");
  writeTogether(changes);
  expect(["new.txt", "old.txt"].map((file) => readFileSync(join(folder, file), "utf8"))).toEqual(["new\n", "new\n"]);
});
