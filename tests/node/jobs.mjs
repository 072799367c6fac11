// Upload, create, follow events by pages, list, cancel, delete.
import assert from "node:assert/strict";
import { baseModel, client, collect, trainingFile, upload } from "./common.mjs";

const file = await upload(trainingFile());
assert.equal(file.status, "processed");
assert.equal((await client.files.waitForProcessing(file.id)).id, file.id);
assert.equal(await (await client.files.content(file.id)).text(), trainingFile());
assert.deepEqual((await collect(client.files.list({ purpose: "fine-tune", limit: 1 }))).map((f) => f.id), [file.id]);

const validation = await upload(trainingFile(3));
const created = [];
for (let i = 0; i < 3; i++) {
  created.unshift(await client.fineTuning.jobs.create({
    model: baseModel,
    training_file: file.id,
    validation_file: validation.id,
    suffix: "tickets",
    seed: i,
    metadata: { round: `${i}` },
    method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 2, batch_size: "auto" } } },
  }));
}
const job = created[0];
assert.match(job._request_id, /^req_/);
assert.equal(job.status, "validating_files");
assert.equal(job.method.supervised.hyperparameters.n_epochs, 2);
assert.equal(job.hyperparameters.batch_size, "auto");

const listed = await collect(client.fineTuning.jobs.list({ limit: 1 }));
assert.deepEqual(listed.map((j) => j.id), created.map((j) => j.id));
const filtered = await collect(client.fineTuning.jobs.list({ metadata: { round: "1" } }));
assert.deepEqual(filtered.map((j) => j.id), [created[1].id]);

const events = await collect(client.fineTuning.jobs.listEvents(job.id, { limit: 1 }));
assert.equal(events.at(-1).message, `Created fine-tuning job: ${job.id}`);
assert.deepEqual(await collect(client.fineTuning.jobs.checkpoints.list(job.id)), []);

const paused = await client.fineTuning.jobs.cancel(job.id);
assert.equal(paused.status, "cancelled");
assert.equal((await client.fineTuning.jobs.retrieve(job.id)).status, "cancelled");

for (const other of created.slice(1)) {
  await client.fineTuning.jobs.cancel(other.id);
}
assert.equal((await client.files.delete(file.id)).deleted, true);
assert.ok((await collect(client.models.list())).some((model) => model.id === baseModel));
