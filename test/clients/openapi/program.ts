// Uses the generated client of the demo as a program would. That it compiles is half of the test: what the types
// refuse stands behind @ts-expect-error, which is an error itself where there is none.
import assert from "node:assert/strict";
import { client } from "./api/client.gen";
import * as api from "./api/sdk.gen";
import type { Machines, MachinesInsert, PostgrestError } from "./api/types.gen";

async function read(): Promise<void> {
  const { data: machines } = await api.listMachines({
    query: { kind: "eq.oven", select: "id,name,status", order: "name", limit: 3 },
    headers: { Prefer: ["count=exact"] },
    throwOnError: true,
  });
  assert.equal(machines.length, 3);
  const first: Machines | undefined = machines[0];
  assert.ok(first && ["running", "idle", "maintenance", "retired"].includes(first.status));
  // @ts-expect-error: there is no such state
  assert.ok(first.status !== "broken");
  // @ts-expect-error: there is no such column
  assert.equal(first.colour, undefined);
  // @ts-expect-error: there is no such preference
  await api.listMachines({ query: { limit: 1 }, headers: { Prefer: ["count=twice"] } });

  const paged = await api.listSites({ query: { limit: 1 }, headers: { Prefer: ["count=exact"] } });
  assert.equal(paged.response?.status, 206);
  assert.match(paged.response?.headers.get("Content-Range") ?? "", /^0-0\/\d+$/);
}

async function write(): Promise<void> {
  const machine: MachinesInsert = { line_id: 1, name: "Generated oven", kind: "oven", installed: "2025-01-01" };
  // @ts-expect-error: a machine has a name
  const nameless: MachinesInsert = { line_id: 1, kind: "oven", installed: "2025-01-01" };
  assert.ok(!("name" in nameless));

  const inserted = await api.insertMachines({
    body: machine,
    headers: { Prefer: ["return=representation", "missing=default"] },
    throwOnError: true,
  });
  assert.equal(inserted.response.status, 201);
  const { id, status, tags, next_service } = inserted.data[0];
  assert.deepEqual([status, tags, next_service], ["idle", [], null]);

  const machine_id = `eq.${id}`;
  const plate = { machine_id: id, serial: "G-1", manufacturer: "Generator", built: 2025 };
  const put = await api.putNameplates({ query: { machine_id }, body: plate, throwOnError: true });
  assert.equal(put.response.status, 204);
  const updated = await api.updateMachines({
    query: { id: machine_id },
    body: { status: "maintenance", tags: ["generated"] },
    headers: { Prefer: ["return=representation"] },
    throwOnError: true,
  });
  assert.deepEqual(updated.data?.map((row) => [row.status, row.tags]), [["maintenance", ["generated"]]]);
  for (const removed of [
    await api.deleteNameplates({ query: { machine_id } }),
    await api.deleteMachines({ query: { id: machine_id } }),
  ]) {
    assert.equal(removed.response?.status, 204);
  }
}

async function call(): Promise<void> {
  const warm = await api.getFahrenheit({ query: { celsius: 100 }, throwOnError: true });
  assert.equal(warm.data, 212);
  const weight = await api.getTotalWeight({ query: { machine_ids: [2, 3] }, throwOnError: true });
  assert.equal(typeof weight.data, "number");
  const due = await api.callServiceDue({
    query: { order: "id", limit: 2 },
    body: { before: "2026-01-01", kind: "oven" },
    throwOnError: true,
  });
  assert.deepEqual(due.data.map((row) => row.kind), ["oven", "oven"]);
  const statistics = await api.callSensorStatistics({ body: { sensor_id: 7 }, throwOnError: true });
  assert.ok(statistics.data.every((row) => (row.lowest ?? 0) <= (row.highest ?? 0)));
  // @ts-expect-error: the number of the sensor is required
  await api.callSensorStatistics({ body: {} });

  const opened = await api.callOpenWorkOrder({ body: { machine_id: 2, title: "Oil it" }, throwOnError: true });
  assert.equal(opened.data.priority, "normal");
  const removed = await api.deleteWorkOrders({ query: { id: `eq.${opened.data.id}` } });
  assert.equal(removed.response?.status, 204);
}

async function fail(): Promise<void> {
  const { error, response } = await api.callOpenWorkOrder({ body: { machine_id: -1, title: "None" } });
  const failure: PostgrestError | undefined = error;
  assert.equal(response?.status, 404);
  assert.equal(failure?.message, "no machine has the number -1");
  const missing = await api.listMachines({ query: { select: "nothing" } });
  assert.equal(missing.response?.status, 400);
  assert.equal(missing.error?.code, "42703");
}

async function main(): Promise<void> {
  const [baseUrl, token] = process.argv.slice(2);
  client.setConfig({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
  for (const step of [read, write, call, fail]) {
    await step();
    console.log(`ok: ${step.name}`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
