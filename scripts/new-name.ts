/** Names of new things, and how they are spelt in code. */
import { InputError } from "../memory/errors.js";

/** Keeps tables within a screen, and names whole where tests are listed. */
const LONGEST = 30;

/** Words that cannot name a constant of a module. */
const reserved = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false " +
    "finally for function if implements import in instanceof interface let new null package private protected public " +
    "return static super switch this throw true try typeof undefined var void while with yield"
  ).split(" "),
);

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** `my-name` as `myName`. */
export const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** Makes a text about the model one about `name`: `my-model`, `myModel`, `MyModel` and `My model` alike. */
export function spellings(model: string, name: string): (text: string) => string {
  const spelt = (of: string): string[] => {
    const camel = camelCase(of);
    return [of, camel, capitalized(camel), capitalized(of.replaceAll("-", " "))];
  };
  const [from, to] = [spelt(model), spelt(name)];
  return (text) => from.reduce((done, word, i) => done.replaceAll(word, to[i]), text);
}

/** Refuses a name that is not kebab-case, cannot stand in code, or is taken. `camel`: the registry has it in camel case. */
export function checkName(word: string, name: string, camel: boolean, taken: readonly string[]): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    const near = name
      .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^[-0-9]+|-$/g, "");
    const hint = near === "" ? "" : `: did you mean "${near}"?`;
    throw new InputError(
      `"${name}": expected a name of small letters, digits and hyphens between, as my-${word}${hint}`,
    );
  }
  if (name.length > LONGEST)
    throw new InputError(`"${name}": expected a name of at most ${LONGEST} letters: shorten it`);
  const registered = camel ? camelCase(name) : name;
  if (taken.includes(registered))
    throw new InputError(`${word} "${registered}": the name is taken: choose another one`);
}

/** Words of code outside of comments and strings. */
function wordsOf(code: string): Set<string> {
  const bare = code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|"[^"\n]*"/gm, " ");
  return new Set(bare.match(/[A-Za-z_]\w*/g));
}

/**
 * Refuses a name that would mean two things in the code: what the model calls after itself must be new there, and in the
 * `others`, files that will import it.
 */
export function checkWords(model: string, name: string, code: string, others: readonly string[]): void {
  const spelt = spellings(model, name);
  const words = wordsOf(code);
  // Any other name than the model's, which may be the new one.
  const other = spellings(model, "other");
  const own = [...words].filter((word) => other(word) !== word);
  const around = new Set([...words].filter((word) => !own.includes(word)));
  for (const text of others) for (const word of wordsOf(text)) around.add(word);
  const clash = [...own.map(spelt), camelCase(name)].find(
    (word) => around.has(word) || reserved.has(word) || word in globalThis,
  );
  if (clash !== undefined)
    throw new InputError(
      `"${name}" would be ${clash} in the code, which means something else there: choose another name`,
    );
}
