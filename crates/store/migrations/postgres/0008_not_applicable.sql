-- Objects that a control does not concern are counted too: frameworks show them beside those that pass.

ALTER TABLE satisfied ADD COLUMN not_applicable BIGINT NOT NULL DEFAULT 0;

INSERT INTO satisfied (scope, namespace, control, resources, weight, not_applicable)
SELECT v.scope, coalesce(v.namespace, ''), c.value, 0, 0, count(*)
FROM verdicts v, jsonb_each(CAST(v.not_applicable AS jsonb)) r, jsonb_array_elements_text(r.value) c(value)
WHERE true
GROUP BY v.scope, coalesce(v.namespace, ''), c.value
ON CONFLICT (scope, namespace, control) DO UPDATE SET not_applicable = excluded.not_applicable;
