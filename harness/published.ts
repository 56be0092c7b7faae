/** Published measurements that runs are held against. */

/**
 * Johnstone & Wilson 1998, "The Memory Fragmentation Problem: Solved?", ISMM, table 4: measure #4, peak footprint over
 * peak live, in percent over live, of eight programs: Espresso, GCC, Ghostscript, Grobner, Hyper, Perl, P2C, LRUsim. Policy alone:
 * no headers, sizes times 16. Of their sixteen allocators those that are here, in the order of their printed averages.
 */
export const johnstoneWilson4: Readonly<Record<string, readonly number[]>> = {
  "best fit, FIFO": [0.26, 0.33, 3.04, 2.03, 0.16, 9.98, 1.78, 0.26],
  "best fit, address": [0.26, 0.33, 3.4, 2.03, 0.16, 9.98, 1.78, 0.26],
  "best fit, LIFO": [0.26, 0.5, 3.4, 2.03, 0.16, 9.98, 1.78, 0.26],
  "first fit, address": [0.26, 0.5, 3.4, 2.03, 0.16, 9.98, 1.78, 0.26],
  "first fit, FIFO": [0.26, 0.5, 7.36, 4.79, 0.16, 9.98, 1.78, 0.26],
  "next fit, address": [1.77, 0.67, 16.7, 26.9, 0.16, 9.98, 7.89, 0.26],
  "next fit, FIFO": [0.26, 0.85, 54.6, 71.0, 0.16, 9.98, 9.92, 0.26],
  "double buddy": [68.6, 31.3, 20.8, 12.3, 50.0, 24.9, 32.4, 33.7],
  "first fit, LIFO": [9.37, 23.7, 179, 62.7, 0.16, 9.98, 4.83, 0.26],
  "next fit, LIFO": [9.37, 21.0, 200, 51.7, 0.16, 9.98, 15.0, 0.26],
  "binary buddy": [45.8, 34.1, 38.4, 36.9, 99.9, 39.0, 55.0, 77.7],
};

/** The program of that table that allocates 39 103 objects of 36 bytes or so and frees them only at its end. */
export const LRUSIM = 7;
