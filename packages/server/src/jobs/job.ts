import { defineErrors } from '../kit/errors.ts';

/** Work that the Management API was asked for. */
export interface Job {
  /** `job_` and 16 characters. */
  readonly jobId: string;
  readonly type: 'verification_email';
  readonly status: 'pending' | 'processing' | 'completed' | 'failed';
  readonly createdAt: Date;
}

export const jobErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_job', message: 'The job does not exist.' },
});

export function toWire({ jobId, type, status, createdAt }: Job): Record<string, unknown> {
  return { id: jobId, type, status, created_at: createdAt.toISOString() };
}
