package engine

import (
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// op is what the engine knows of an operation. Where something is missing, or
// lower declines, GoMLX's Go engine takes its place.
type op struct {
	// shape is the shape of the only output.
	shape func(n *node) (shapes.Shape, error)
	// step computes on float32s, element by element, as part of a program.
	step step
	// selects marks the one step whose first input is boolean.
	selects bool
	// lower adds the instructions of a node, or returns false.
	lower func(p *planner, n *node) bool
}

// table lists the operations.
func table() map[compute.OpType]op {
	return map[compute.OpType]op{
		compute.OpTypeAdd:      {shape: binaryShape, step: stepAdd, lower: lowerArithmetic},
		compute.OpTypeSub:      {shape: binaryShape, step: stepSub, lower: lowerArithmetic},
		compute.OpTypeMul:      {shape: binaryShape, step: stepMul, lower: lowerArithmetic},
		compute.OpTypeDiv:      {shape: binaryShape, step: stepDiv, lower: lowerArithmetic},
		compute.OpTypeMax:      {shape: binaryShape, step: stepMax, lower: lowerArithmetic},
		compute.OpTypeMin:      {shape: binaryShape, step: stepMin, lower: lowerArithmetic},
		compute.OpTypeNeg:      {shape: unaryShape, step: stepNeg},
		compute.OpTypeAbs:      {shape: unaryShape, step: stepAbs},
		compute.OpTypeSqrt:     {shape: unaryShape, step: stepSqrt},
		compute.OpTypeRsqrt:    {shape: unaryShape, step: stepRsqrt},
		compute.OpTypeExp:      {shape: unaryShape, step: stepExp},
		compute.OpTypeLogistic: {shape: unaryShape, step: stepLogistic},
		compute.OpTypeTanh:     {shape: unaryShape, step: stepTanh},
		compute.OpTypeErf:      {shape: unaryShape, step: stepErf},
		compute.OpTypeLog:      {shape: unaryShape, step: stepLog},
		compute.OpTypeLog1p:    {shape: unaryShape, step: stepLog1p},
		compute.OpTypeExpm1:    {shape: unaryShape, step: stepExpm1},
		compute.OpTypeFloor:    {shape: unaryShape, step: stepFloor},
		compute.OpTypeCeil:     {shape: unaryShape, step: stepCeil},
		compute.OpTypeSin:      {shape: unaryShape, step: stepSin},
		compute.OpTypeCos:      {shape: unaryShape, step: stepCos},
		compute.OpTypeSign:     {shape: unaryShape, step: stepSign},
		compute.OpTypeWhere:    {shape: whereShape, step: stepWhere, selects: true},

		compute.OpTypeEqual:          {shape: comparisonShape, lower: lowerComparison},
		compute.OpTypeNotEqual:       {shape: comparisonShape, lower: lowerComparison},
		compute.OpTypeLessThan:       {shape: comparisonShape, lower: lowerComparison},
		compute.OpTypeLessOrEqual:    {shape: comparisonShape, lower: lowerComparison},
		compute.OpTypeGreaterThan:    {shape: comparisonShape, lower: lowerComparison},
		compute.OpTypeGreaterOrEqual: {shape: comparisonShape, lower: lowerComparison},
		compute.OpTypeLogicalAnd:     {shape: binaryShape, lower: lowerLogic},
		compute.OpTypeLogicalOr:      {shape: binaryShape, lower: lowerLogic},
		compute.OpTypeLogicalNot:     {shape: unaryShape, lower: lowerNot},
		compute.OpTypeConvertDType:   {shape: convertShape, lower: lowerConvert},
		compute.OpTypeIota:           {shape: iotaShape, lower: lowerIota},

		compute.OpTypeIdentity:           {shape: unchangedShape, lower: lowerIdentity},
		compute.OpTypeReshape:            {shape: reshapeShape, lower: lowerReshape},
		compute.OpTypeTranspose:          {shape: transposeShape, lower: lowerTranspose},
		compute.OpTypeBroadcastInDim:     {shape: broadcastShape, lower: lowerBroadcast},
		compute.OpTypeSlice:              {shape: sliceShape, lower: lowerSlice},
		compute.OpTypeReverse:            {shape: unchangedShape, lower: lowerReverse},
		compute.OpTypeConcatenate:        {shape: concatenateShape, lower: lowerConcatenate},
		compute.OpTypePad:                {shape: padShape, lower: lowerPad},
		compute.OpTypeGather:             {shape: gatherShape, lower: lowerGather},
		compute.OpTypeScatterSum:         {shape: scatterShape, lower: lowerScatter},
		compute.OpTypeDynamicSlice:       {shape: dynamicSliceShape, lower: lowerDynamicSlice},
		compute.OpTypeDynamicUpdateSlice: {shape: updateShape, lower: lowerUpdate},

		compute.OpTypeRNGBitGenerator:   {lower: lowerRandom},
		compute.OpTypeBitwiseAnd:        {shape: binaryShape, lower: lowerBits},
		compute.OpTypeBitwiseOr:         {shape: binaryShape, lower: lowerBits},
		compute.OpTypeBitwiseXor:        {shape: binaryShape, lower: lowerBits},
		compute.OpTypeShiftLeft:         {lower: lowerBits},
		compute.OpTypeShiftRightLogical: {lower: lowerBits},
		compute.OpTypeBitcast:           {lower: lowerBitcast},

		compute.OpTypeReduceSum:      {shape: reduceShape, lower: lowerReduceSum},
		compute.OpTypeReduceMax:      {shape: reduceShape, lower: lowerReduceMax},
		compute.OpTypeArgMinMax:      {shape: argMinMaxShape, lower: lowerArgMinMax},
		compute.OpTypeDotGeneral:     {shape: dotShape, lower: lowerDot},
		compute.OpTypeFusedDense:     {shape: denseShape, lower: lowerDense},
		compute.OpTypeFusedSoftmax:   {shape: softmaxShape, lower: lowerSoftmax},
		compute.OpTypeFusedLayerNorm: {shape: unchangedShape, lower: lowerLayerNorm},
	}
}

// fused tells the operations that GoMLX also builds of others, and uses those for
// gradients.
func fused(op compute.OpType) bool {
	return op == compute.OpTypeFusedDense || op == compute.OpTypeFusedSoftmax || op == compute.OpTypeFusedLayerNorm
}

// refused tells the operations that GoMLX builds of others because this engine
// asks it to. The tanh GELU, for one, GoMLX's fused operations would replace by
// the exact one.
func refused(op compute.OpType) bool {
	switch op {
	case compute.OpTypeFusedGelu, compute.OpTypeFusedScaledDotProductAttention,
		compute.OpTypeFusedQuantizedDense, compute.OpTypeQuantizedEmbeddingLookup,
		compute.OpTypeFusedAttentionQKVProjection, compute.OpTypeAllReduce:
		return true
	case compute.OpTypeDynamicSlice, compute.OpTypeDynamicUpdateSlice:
		return false
	}
	return strings.HasPrefix(op.String(), "Dynamic") // on dynamic shapes
}
