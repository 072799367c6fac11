// Every refusal must arrive as the package's own exception class, with message, code, param, type and request id.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { baseModel, client, trainingFile, upload } from "./common.mjs";

async function refused(kind, call, expected) {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof kind, `${error?.constructor?.name} instead of ${kind.name}: ${error}`);
    assert.match(error.requestID, /^req_/);
    for (const [name, value] of Object.entries(expected)) {
      if (value instanceof RegExp) {
        assert.match(error[name] ?? "", value);
      } else {
        assert.equal(error[name], value);
      }
    }
    return;
  }
  assert.fail(`Nothing was thrown; expected ${kind.name}.`);
}

const stranger = new OpenAI({ apiKey: "sk-wrong-key-of-nobody", maxRetries: 0 });
await refused(OpenAI.AuthenticationError, () => stranger.models.list(), {
  status: 401, code: "invalid_api_key", type: "invalid_request_error", message: /Incorrect API key provided: sk-\*+body/,
});
await refused(OpenAI.NotFoundError, () => client.models.retrieve("none"), { status: 404, code: "model_not_found" });
await refused(OpenAI.NotFoundError, () => client.files.retrieve("file-none"), { status: 404, param: "id", message: /No such File object: file-none/ });
await refused(OpenAI.NotFoundError, () => client.fineTuning.jobs.retrieve("ftjob-none"), { status: 404, code: "fine_tune_not_found", param: "fine_tune_id" });
await refused(OpenAI.NotFoundError, () => client.post("/no/such/url", { body: {} }), { status: 404, code: "unknown_url" });
await refused(OpenAI.PermissionDeniedError, () => client.models.delete(baseModel), { status: 403 });
await refused(OpenAI.BadRequestError, () => upload("not json"), { status: 400, param: "file", message: /Line 1 is not a dictionary/ });
await refused(OpenAI.BadRequestError, () => upload(trainingFile(), "finetune"), { status: 400, param: "purpose", code: "invalid_value" });
await refused(OpenAI.BadRequestError, () => client.fineTuning.jobs.create({ model: baseModel }), {
  status: 400, param: "training_file", code: "missing_required_parameter", message: /Missing required parameter: 'training_file'\./,
});
await refused(OpenAI.BadRequestError, () => client.fineTuning.jobs.list({ after: "ftjob-none" }), { status: 400, param: "after" });

const file = await upload(trainingFile());
const job = await client.fineTuning.jobs.create({ model: baseModel, training_file: file.id }, { headers: { "Idempotency-Key": "one" } });
const again = await client.fineTuning.jobs.create({ model: baseModel, training_file: file.id }, { headers: { "Idempotency-Key": "one" } });
assert.equal(again.id, job.id);
await refused(
  OpenAI.ConflictError,
  () => client.fineTuning.jobs.create({ model: baseModel, training_file: file.id, seed: 1 }, { headers: { "Idempotency-Key": "one" }, maxRetries: 5 }),
  { status: 409, code: "idempotency_key_reused" },
);
await client.fineTuning.jobs.cancel(job.id);
await refused(OpenAI.BadRequestError, () => client.fineTuning.jobs.cancel(job.id), { status: 400, code: "invalid_job_status" });
