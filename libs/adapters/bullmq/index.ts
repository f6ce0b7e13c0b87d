export { BullmqJobs, type BullmqJobsOptions, type JobTrouble } from './bullmq-jobs.ts';
export { migrateJobs, type MigrateJobsOptions } from './migrate-jobs.ts';
