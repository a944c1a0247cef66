"""From a fine-tuned torch network to ONNX with int8 weights."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.optimizer import optimize_model
from tokenizers import Tokenizer

from models.network import FrameClassifier, empty_encoder
from training.config import ConfigError
from training.fit import Fitted


def export_onnx(fitted: Fitted, base: Path | str, path: Path) -> None:
    """Write the network to `path` as ONNX with fused attention and int8 weights.

    The encoder is rebuilt with eager attention first: with SDPA, onnxruntime's fusion finds no attention and
    quantisation fails. Weights are quantised per channel, activations dynamically.
    Raises ConfigError where attention could not be fused, since the int8 model would then be slow.
    """
    network = FrameClassifier(empty_encoder(base), fitted.network.head.out_features, fitted.network.dropout.p)
    network.load_state_dict(fitted.network.state_dict())
    network.eval()
    sample = fitted.tokenizer(["A sentence.", "A longer sentence of eight words."], padding=True, return_tensors="pt")
    with tempfile.TemporaryDirectory() as scratch:
        raw, fp32 = Path(scratch) / "raw.onnx", Path(scratch) / "fp32.onnx"
        with torch.no_grad(), warnings.catch_warnings():
            # The tracer warns of shape arithmetic it turns into constants; int8 is compared with fp32 after the export.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (sample["input_ids"], sample["attention_mask"]),
                str(raw),
                input_names=["input_ids", "attention_mask"],
                output_names=["logits"],
                dynamic_axes={
                    "input_ids": {0: "batch", 1: "tokens"},
                    "attention_mask": {0: "batch", 1: "tokens"},
                    "logits": {0: "batch"},
                },
                opset_version=17,
                dynamo=False,  # the dynamo exporter bakes the sample's shapes into the attention mask
            )
        config = fitted.network.encoder.config
        fused = optimize_model(
            str(raw),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=0,
        )
        if fused.get_fused_operator_statistics().get("Attention", 0) != config.num_hidden_layers:
            raise ConfigError(
                f"base {base}: onnxruntime fused no attention in its graph; this encoder type is not supported"
            )
        fused.save_model_to_file(str(fp32))
        quantize_dynamic(
            str(fp32),
            str(path),
            per_channel=True,
            weight_type=QuantType.QInt8,
            # Shape inference does not know the fused operators' output types; all of them are float.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        onnx.checker.check_model(str(path))


def export_tokenizer(fitted: Fitted, path: Path, max_tokens: int) -> None:
    """Write tokenizer.json with this model's truncation and padding token."""
    tokenizer: Tokenizer = Tokenizer.from_str(fitted.tokenizer.backend_tokenizer.to_str())
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding(pad_id=fitted.tokenizer.pad_token_id, pad_token=fitted.tokenizer.pad_token)
    tokenizer.save(str(path))


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Share of decisions (bool, any shape) that are equal."""
    return float((one == other).mean())
