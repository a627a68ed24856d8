"""Fine-tuning of students on recorded play by LoRA."""
