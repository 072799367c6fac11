// Everything that a finished job leaves: events by pages, checkpoints, result file, model.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { client, collect } from "./common.mjs";

const job = await client.fineTuning.jobs.retrieve(process.env.ANNEAL_TEST_JOB);
assert.equal(job.status, "succeeded");
assert.equal(typeof job.trained_tokens, "number");
assert.equal(typeof job.hyperparameters.n_epochs, "number");

const events = await collect(client.fineTuning.jobs.listEvents(job.id, { limit: 4 }));
const metrics = events.filter((event) => event.type === "metrics");
assert.ok(metrics.length > 0);
assert.deepEqual(metrics.map((event) => event.data.step), [...metrics.keys()].map((i) => metrics.length - i));
assert.equal(events[0].message, "The job has successfully completed");

const checkpoints = await collect(client.fineTuning.jobs.checkpoints.list(job.id, { limit: 1 }));
assert.ok(checkpoints.length > 0);
assert.equal(checkpoints[0].fine_tuned_model_checkpoint, job.fine_tuned_model);
for (const earlier of checkpoints.slice(1)) {
  assert.match(earlier.fine_tuned_model_checkpoint, new RegExp(`:ckpt-step-${earlier.step_number}$`));
}

const csv = await (await client.files.content(job.result_files[0])).text();
assert.ok(csv.startsWith("step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"));

const names = (await collect(client.models.list())).map((model) => model.id);
assert.ok(names.includes(job.fine_tuned_model));
assert.equal((await client.models.retrieve(job.fine_tuned_model)).owned_by, job.organization_id);
assert.equal((await client.models.delete(job.fine_tuned_model)).deleted, true);
await assert.rejects(client.models.retrieve(job.fine_tuned_model), OpenAI.NotFoundError);
