// The whole way with a real worker: upload, create, follow events by pages, checkpoints, result file, chat with the tuned model.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { baseModel, client, collect, trainingFile, upload } from "./common.mjs";

const training = await upload(trainingFile(12));
const validation = await upload(trainingFile(10), "fine-tune", "validation.jsonl");
let job = await client.fineTuning.jobs.create({
  model: baseModel,
  training_file: training.id,
  validation_file: validation.id,
  suffix: "node",
  seed: 5,
  method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 2, batch_size: 4 } } },
});

// Events come newest first: a page is read until the last one known.
const seen = [];
async function follow() {
  const fresh = [];
  for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 5 })) {
    if (event.id === seen.at(-1)?.id) {
      break;
    }
    fresh.unshift(event);
  }
  seen.push(...fresh);
}
const deadline = Date.now() + 240_000;
while (!["succeeded", "failed", "cancelled"].includes(job.status)) {
  assert.ok(Date.now() < deadline, `The job is still ${job.status}.`);
  await sleep(200);
  job = await client.fineTuning.jobs.retrieve(job.id);
  assert.ok(job.estimated_finish === null || job.estimated_finish > Date.now() / 1000);
  await follow();
}
await follow();
assert.equal(job.status, "succeeded", JSON.stringify(job.error));
assert.equal(new Set(seen.map((event) => event.id)).size, seen.length);
const messages = seen.map((event) => event.message);
assert.equal(messages[0], `Created fine-tuning job: ${job.id}`);
assert.equal(messages[1], `Validating training file: ${training.id} and validation file: ${validation.id}`);
assert.equal(messages[2], "Files validated, moving job to queued state");
assert.equal(messages[3], "Fine-tuning job started");
assert.equal(messages.at(-2), `New fine-tuned model created: ${job.fine_tuned_model}`);
assert.equal(messages.at(-1), "The job has successfully completed");

const metrics = seen.filter((event) => event.type === "metrics");
assert.deepEqual(metrics.map((event) => event.data.step), [1, 2, 3, 4, 5, 6]);
for (const event of metrics) {
  assert.match(event.message, new RegExp(`^Step ${event.data.step}/6: training loss=\\d+\\.\\d\\d`));
  assert.equal(event.data.total_steps, 6);
}
assert.ok(metrics.at(-1).data.full_valid_loss > 0);
assert.match(metrics.at(-1).message, /full validation loss=\d+\.\d\d$/);

const { n_epochs, batch_size, learning_rate_multiplier } = job.hyperparameters;
assert.deepEqual([n_epochs, batch_size, typeof learning_rate_multiplier], [2, 4, "number"]);
assert.deepEqual(job.method.supervised.hyperparameters, job.hyperparameters);
assert.ok(job.trained_tokens > 0);
assert.match(job.fine_tuned_model, new RegExp(`^ft:${baseModel}:personal:node:[A-Za-z0-9]{8}$`));

const checkpoints = await collect(client.fineTuning.jobs.checkpoints.list(job.id));
assert.deepEqual(checkpoints.map((checkpoint) => checkpoint.step_number), [6, 3]);
assert.equal(checkpoints[0].fine_tuned_model_checkpoint, job.fine_tuned_model);
assert.ok(messages.includes(
  `Checkpoint created at step 3 with Snapshot ID: ${checkpoints[1].fine_tuned_model_checkpoint}`));

const rows = (await (await client.files.content(job.result_files[0])).text()).trim().split("\n");
assert.ok(rows[0].startsWith("step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"));
assert.equal(rows.length, 7);

for (const model of [job.fine_tuned_model, checkpoints[1].fine_tuned_model_checkpoint]) {
  const answer = await client.chat.completions.create({
    model, messages: [{ role: "user", content: "What is 3 plus 1?" }], temperature: 0, max_tokens: 8,
  });
  assert.equal(answer.model, model);
  assert.ok(answer.usage.completion_tokens > 0);
}
