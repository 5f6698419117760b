"""Customer service: what somebody wants, in a message or a dialogue, and how they feel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.resampling import Sampling
from lepton_ai.models import IntentModel, SentimentModel

from .judged import Desk, FieldTask, Pair, crossed, fitted_by
from .sets import table

TURNS = 3
"""Turns of a dialogue that are read, the last the one that is asked about."""


def banking(desk: Desk) -> Pair:
    """77 intents of questions to a bank."""
    learn, test = table("banking"), table("banking-test")
    model = desk.learnt("banking", IntentModel(), learn["text"].to_list(), learn["category"].to_numpy().astype(str))
    words = _machine().fit(learn["text"], learn["category"])
    called = model.predict(test["text"].to_list()), words.predict(test["text"])
    return Pair(*(outcomes_of_predictions("multiclass", test["category"].to_numpy(), each) for each in called))


def dialogues(desk: Desk) -> Pair:
    """What a customer wants at each turn, by it and the two before."""
    rows = table("dialogues").sort_values(["split", "conversationId", "turnNumber"], kind="stable")
    turns = rows.groupby("conversationId")["utterance"]
    read = pd.DataFrame({f"turn{back}": turns.shift(back) for back in range(TURNS - 1, -1, -1)})
    learn, test = ((rows["split"] == each).to_numpy() for each in ("train", "test"))
    labels = rows["intent"].to_numpy().astype(str)
    model = desk.learnt("dialogues", IntentModel(), read[learn], labels[learn])
    words = _machine().fit(rows["utterance"][learn], labels[learn])
    called = model.predict(read[test]), words.predict(rows["utterance"][test])
    drawn = Sampling(np.unique(rows["conversationId"][test], return_inverse=True)[1])
    return Pair(*(outcomes_of_predictions("multiclass", labels[test], each, sampling=drawn) for each in called))


def sentiment(desk: Desk) -> Pair:
    """Sentences of reviews, 1 a pleased one."""
    rows = table("sentences")
    labels, texts = rows["score"].to_numpy(), rows["sentence"].to_list()
    splits = StratifiedKFold(5, shuffle=True, random_state=0).split(texts, labels)
    logistic = fitted_by(
        lambda: make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=5000)), (0, 1)
    )
    return crossed(desk, "sentiment", texts, labels, splits, SentimentModel, logistic, task="binary", classes=(0, 1))


def _machine() -> Any:
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LinearSVC(random_state=0))


TASKS = {
    "dialogues": FieldTask(
        "service", "dialogue", ("dialogues",), "intent-model",
        "lepton train intent-model turns.csv --label intent",
        "macro_f1", "the published test part", "tf-idf and linear SVM, one turn at a time", dialogues,
    ),
    "sentiment": FieldTask(
        "service", "sentiment", ("sentences",), "sentiment-model",
        "lepton train sentiment-model sentiment-sentences.parquet --label score --drop source",
        "accuracy", "5 folds", "tf-idf and logistic regression", sentiment,
    ),
    "banking": FieldTask(
        "service", "intent", ("banking", "banking-test"), "intent-model",
        "lepton train intent-model banking77-train.csv --label category",
        "accuracy", "the published test part", "tf-idf and linear SVM", banking,
        published="BERT 0.937 (Casanueva et al. 2020)",
    ),
}  # fmt: skip
