import type { OptionTable } from "../../memory/options.js";
import { handleTableOptions } from "./options.js";
import type { PinOptions } from "./pin-model.js";
import type { TableOptions } from "./table-options.js";

const { freeOrder, releaseTablePages, generations, retireOnWrap } = handleTableOptions;
const { pins, pinShare, pinWindow, pinSeed } = handleTableOptions;
/** Options of a table and of pins that any heap behind handles has. */
export const heldOptions: OptionTable<Omit<TableOptions, "entryBytes"> & PinOptions> = {
  freeOrder,
  releaseTablePages,
  generations,
  retireOnWrap,
  pins,
  pinShare,
  pinWindow,
  pinSeed,
};
