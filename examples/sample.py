"""The first steps with Lepton, as they stand in the README; `train_data` and the like are yours."""

from lepton_ai import ModelManager
from lepton_ai.models import CreditScoringModel

model_manager = ModelManager()
model = CreditScoringModel()
model.add_hyperparameter('learning_rate', 0.01)
model.add_hyperparameter('dropout_rate', 0.2)
model.train(train_data, train_labels)
version = model_manager.save_version(model)
print(f"模型版本{version}已保存")
new_model = model_manager.load_version(version)
print(f"回退到版本{version}")
performance = new_model.evaluate(test_data, test_labels)
print(f"模型性能：{performance}")
