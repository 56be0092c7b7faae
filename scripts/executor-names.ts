/** Where `fraglab run` has cells computed: worker threads of its process, or tasks of a cluster. */
export const executorNames = ["local", "slurm"] as const;
export type ExecutorName = (typeof executorNames)[number];
