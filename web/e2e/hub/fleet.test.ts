import { expect, test } from "vitest";
import { hereFilter, recentGap } from "../../src/pages/clusters/status";
import { broken } from "../../src/pages/availability/works";
import { features, statuses } from "./fleet";
import { NOUNS } from "./nouns";
import { emptyWorld, fullWorld } from "./world";

const NOW = Date.now();
const world = fullWorld(NOW);
const { items } = statuses(world, NOW);

test("a status tells of the newest gap of its cluster alone", () => {
  const ends = items.map(({ cluster, admission }) => [cluster.name, admission.last_gap?.cluster, admission.gaps_24h]);
  expect(ends).toEqual([["prod-1", "prod-1", 1], ["staging", "staging", 0], ["edge-fra-02", undefined, 0], ["builder-07", undefined, 0]]);
  expect(items.map((status) => recentGap(status, NOW) !== null)).toEqual([true, false, false, false]);
});

test("agents carry the name of their cluster and are found by its scope", () => {
  const names = new Map(world.clusters.map((cluster) => [cluster.scope, cluster.name]));
  for (const agent of world.agents) expect(agent.cluster).toBe(names.get(agent.scope));
  for (const { cluster, agents } of items) {
    const found = NOUNS.agents.list(world, new URLSearchParams({ filter: hereFilter(cluster) })).items;
    expect(found.filter((agent) => !agent.revoked)).toHaveLength(agents.cluster_agents + agents.sensors);
  }
});

test("who is away says nothing of what works", () => {
  const away = items.find(({ cluster }) => cluster.name === "staging");
  expect(away?.capabilities.length).toBeGreaterThan(0);
  for (const { full, partial, absent, unknown } of away?.capabilities ?? []) expect([full, partial, absent, unknown]).toEqual([0, 0, 0, 1]);
});

test("a preview that does not work is drawn", () => {
  const found = broken(features(world)).find(({ feature }) => feature.id === "io-uring");
  expect(Object.values(found?.feature.support ?? {}).map((each) => each.state)).toEqual(["preview", "preview", "preview", "preview"]);
  expect(found?.clusters.map(({ cluster, working }) => [cluster, working["io-uring"]])).toContainEqual(["builder-07", "not working"]);
});

test("an empty hub has neither", () => {
  expect(statuses(emptyWorld(NOW), NOW).items).toEqual([]);
});
