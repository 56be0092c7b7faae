/** Mesh's size classes (PLDI 2019, section 4.1; the first is listed twice in the C code, which makes 25). */

const PAGE = 4096;

/** Bytes of an object of each class. */
export const classBytes: readonly number[] = [
  16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 2048, 4096, 8192,
  16384,
];

/** Largest request that comes from a size class; larger ones get whole pages of their own. */
export const LARGEST_SMALL = 16384;

/** Objects of a page or larger are never meshed. */
export const MESH_LIMIT = PAGE;

/** Objects in a span of each class: a page of them, at least 8. At most 256. */
export const classObjects: readonly number[] = classBytes.map((bytes) =>
  Math.min(256, Math.max(8, Math.floor(PAGE / bytes))),
);

/** Pages of a span of each class. */
export const classPages: readonly number[] = classBytes.map((bytes, k) => Math.ceil((bytes * classObjects[k]) / PAGE));

/** The class that serves a request, by its 16-byte granules. */
export const classOfGranules: Uint8Array = Uint8Array.from({ length: LARGEST_SMALL / 16 + 1 }, (_, granules) =>
  classBytes.findIndex((bytes) => bytes >= granules * 16),
);
