-- Which way the metrics of models are better that somebody defined.
-- model VARCHAR: the model's name
-- name VARCHAR: the metric
-- better VARCHAR: higher or lower
-- recorded TIMESTAMPTZ: when it was said last
-- actor VARCHAR: pseudonym of who said it
-- seq UBIGINT: the event that recorded it
SELECT model, name, x.better AS better, x.recorded AS recorded, x.actor AS actor, x.seq AS seq
FROM (
    SELECT model, name, arg_max(d, d.seq) AS x
    FROM store.metric_definitions AS d
    WHERE seq <= s
    GROUP BY model, name
)
