-- Which server has claimed a job, with the fence of that claim: one that was killed takes its jobs up again when it starts,
-- instead of waiting for its own lease to end. Null where a process of the version before claimed it.
alter table cron_jobs add column owner text collate "C";
