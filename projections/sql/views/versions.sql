-- The versions of every model.
-- model VARCHAR: the model's name
-- version UBIGINT: the version's number within its model
-- digest VARCHAR: SHA-256 over manifest, parents' digests and recipe; the same in every ledger
-- branch VARCHAR: the branch it was committed to
-- committed TIMESTAMPTZ: when it was recorded
-- actor VARCHAR: pseudonym of who committed it
-- message VARCHAR: what was said on committing, sealed; empty where nothing was
-- description VARCHAR: what was last said about it afterwards, sealed; null where nothing was
-- size UBIGINT: raw bytes of all tensors, shared ones counted once
-- tensors UBIGINT: how many tensors it has
-- parameters UBIGINT: elements of all tensors, shared ones counted once
-- keyframe BOOLEAN: whether every chunk is stored whole, so that a restore may start here
-- manifest VARCHAR: digest of the tensor manifest
-- recipe VARCHAR: digest of the recipe
-- run VARCHAR: the run that made it; null where none did
-- architecture JSON: the model's class and its arguments
-- settings JSON: how it was trained
-- derivation JSON: how its bytes came from its parents', where that is fixed
-- environment JSON: Python, platform and packages
-- code JSON: git commit, dirty flag (null: unknown, `unknown` says why), digest of the uncommitted diff
-- seq UBIGINT: the event that committed it
SELECT
    v.model, v.version, v.digest, v.branch, v.recorded AS committed, v.actor, v.message, d.description, v.size, v.tensors,
    v.parameters, v.keyframe, v.manifest, v.recipe, v.run, v.architecture, v.settings, v.derivation, v.environment, v.code,
    v.seq
FROM store.versions AS v
LEFT JOIN (
    SELECT model, version, arg_max(description, seq) AS description
    FROM store.version_descriptions
    WHERE seq <= s
    GROUP BY model, version
) AS d ON d.model = v.model AND d.version = v.version
WHERE v.seq <= s
