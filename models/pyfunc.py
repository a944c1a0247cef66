"""The model as MLflow loads it: "models from code", so that nothing is pickled.

MLflow runs this file to build the model, and passes the bundle as the artifact `bundle`. Input: a DataFrame with a
column `text` (a sentence a row). Output: a DataFrame aligned row for row with `text`, `p_<frame>` and `frames`.
"""

import mlflow
import pandas as pd

from models.predictor import Predictor


class FramingModel(mlflow.pyfunc.PythonModel):
    """A bundle behind MLflow's pyfunc interface."""

    def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
        """Load and check the bundle. Raises BundleError if it was altered."""
        self._predictor = Predictor.from_folder(context.artifacts["bundle"])

    def predict(
        self, context: mlflow.pyfunc.PythonModelContext, model_input: pd.DataFrame, params: dict | None = None
    ) -> pd.DataFrame:
        """Score `model_input["text"]`; the index is kept."""
        records = self._predictor.records(list(model_input["text"]))
        columns = ["text", *(f"p_{frame}" for frame in self._predictor.bundle.frame_names), "frames"]
        return pd.DataFrame(records, columns=columns, index=model_input.index)


mlflow.models.set_model(FramingModel())
